/** The `FilterManager` of a run: one rule set, in force in every collector. */
import { ConfigError } from "../config/config_error.ts";
import { BpfError, ERRNO } from "../errors.ts";
import { type CompiledRule, compileRule } from "./compile_rule.ts";
import type { Capacities } from "./filter_config.ts";
import type {
  FilterDelegates,
  FilterManager,
  FilterMode,
  FilterStatistics,
  NetworkOptions,
  TypeStatistics,
} from "./filter_manager.ts";
import type { FilterTarget, OutcomeCounts } from "./filter_target.ts";
import { parseRule } from "./parse_rule.ts";
import {
  FILTER_TYPES,
  type FilterRule,
  type FilterRuleInput,
  type FilterType,
  type NamespaceKind,
  type NumberedRule,
  PID_MAX,
  RULE_ID_MAX,
} from "./rule.ts";
import { RuleSet } from "./rule_set.ts";
import type { Step } from "./rule_tables.ts";

/** A program judges for less than a microsecond; one that waits for its CPU, for some milliseconds. */
const PAUSES_MAX = 10_000;
const COUNTED_RULES_MAX = 1024;

export interface LiveFilterOptions {
  readonly targets: readonly FilterTarget[];
  readonly capacities: Capacities;
  /** Unsigned words of 32 bits. */
  readonly random: () => number;
  /** Waits a little, so that a program that is judging may go on. */
  readonly pause: () => Promise<void>;
  /** `kernel.pid_max` of the machine; default what a kernel may have at most. */
  readonly pidMax?: number;
  readonly delegates?: FilterDelegates;
}

export class LiveFilters implements FilterManager {
  readonly #options: LiveFilterOptions;
  readonly #counted = new Set<number>();
  #set: RuleSet;
  #enabled = new Set<FilterType>(FILTER_TYPES);
  #mode: FilterMode = "allow";
  /** Tables may differ from the set in where things lie: write them from scratch. */
  #scratch = true;
  #generation = 0;
  #updates = 0;
  #lastId = 0;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: LiveFilterOptions) {
    this.#options = options;
    this.#set = new RuleSet(options.capacities, this.#counted);
  }

  addPidFilter(pid: number, allow: boolean): Promise<number> {
    return this.addRule({ type: "pid", pid, action: allow ? "allow" : "deny" });
  }

  removePidFilter(pid: number): Promise<boolean> {
    return this.#removeLike({ type: "pid", pid, action: "allow" });
  }

  addNamespaceFilter(
    namespace: number,
    allow: boolean,
    kind: NamespaceKind = "pid",
  ): Promise<number> {
    return this.addRule({ type: "namespace", kind, namespace, action: allow ? "allow" : "deny" });
  }

  removeNamespaceFilter(namespace: number, kind: NamespaceKind = "pid"): Promise<boolean> {
    return this.#removeLike({ type: "namespace", kind, namespace, action: "allow" });
  }

  addNetworkFilter(
    ip: string,
    port: number,
    protocol: number,
    allow: boolean,
    options: NetworkOptions = {},
  ): Promise<number> {
    return this.addRule(networkRule(ip, port, protocol, allow, options));
  }

  removeNetworkFilter(
    ip: string,
    port: number,
    protocol: number,
    options: NetworkOptions = {},
  ): Promise<boolean> {
    return this.#removeLike(networkRule(ip, port, protocol, true, options));
  }

  async addRule(rule: FilterRuleInput): Promise<number> {
    try {
      return (await this.change({ add: [rule] }))[0]!;
    } catch (error) {
      // There is one rule, so its place in a list says nothing.
      throw error instanceof ConfigError && error.path[0] === "rules"
        ? new ConfigError(error.path.slice(2), error.problem, error.hint || undefined)
        : error;
    }
  }

  removeRule(id: number): Promise<boolean> {
    return this.#inTurn(() => {
      if (this.#set.get(id) === undefined) return false;
      this.#commitChange([id], []);
      return true;
    });
  }

  #removeLike(rule: FilterRuleInput): Promise<boolean> {
    return this.#inTurn(() => {
      const twin = this.#twinOf(this.#parse(rule));
      if (twin === undefined) return false;
      this.#commitChange([twin.rule.id], []);
      return true;
    });
  }

  change(change: {
    readonly remove?: readonly number[];
    readonly add?: readonly FilterRuleInput[];
  }): Promise<readonly number[]> {
    return this.#inTurn(() => {
      const remove = [...new Set(change.remove ?? [])];
      for (const id of remove) {
        if (this.#set.get(id) === undefined) throw new ConfigError(["remove"], `no rule is ${id}`);
      }
      return this.#commitChange(remove, change.add ?? []);
    });
  }

  replaceAll(rules: readonly FilterRuleInput[]): Promise<void> {
    return this.#inTurn(() => {
      this.#set = this.#build(rules);
      this.#scratch = true;
      this.#commit([]);
    });
  }

  /** The same with mode and types, as one flip. */
  configure(
    rules: readonly FilterRuleInput[],
    mode: FilterMode,
    types: readonly FilterType[],
  ): Promise<void> {
    return this.#inTurn(() => {
      this.#set = this.#build(rules);
      this.#scratch = true;
      this.#mode = mode;
      this.#enabled = new Set(types);
      this.#commit([]);
    });
  }

  check(rules: readonly FilterRuleInput[]): void {
    this.#build(rules);
  }

  clearAll(): Promise<void> {
    return this.replaceAll([]);
  }

  list(): readonly NumberedRule[] {
    const rules = [...this.#set.rules()].map(({ rule }) => rule);
    return rules.sort((left, right) => left.id - right.id);
  }

  get mode(): FilterMode {
    return this.#mode;
  }

  get enabledTypes(): readonly FilterType[] {
    return FILTER_TYPES.filter((type) => this.#enabled.has(type));
  }

  setFilterMode(mode: FilterMode): Promise<void> {
    return this.#inTurn(() => {
      this.#mode = mode;
      this.#commit([]);
    });
  }

  enableFilterType(type: FilterType): Promise<void> {
    return this.#inTurn(() => {
      this.#enabled.add(type);
      this.#commit([]);
    });
  }

  disableFilterType(type: FilterType): Promise<void> {
    return this.#inTurn(() => {
      this.#enabled.delete(type);
      this.#commit([]);
    });
  }

  getStatistics(): FilterStatistics {
    const counts = this.#counts();
    const types = {} as Record<FilterType, TypeStatistics>;
    FILTER_TYPES.forEach((type, bit) => {
      const sum = (row: Float64Array) =>
        row.reduce((total, events, mask) => total + ((mask >> bit) & 1 ? events : 0), 0);
      const rules = this.#set.rulesOf(type);
      types[type] = { hits: sum(counts.hits), misses: sum(counts.misses), rules };
    });
    return {
      types,
      shadowRejected: counts.shadowRejected,
      generation: this.#generation,
      updates: this.#updates,
    };
  }

  #counts(): OutcomeCounts {
    const counts: OutcomeCounts = {
      hits: new Float64Array(64),
      misses: new Float64Array(64),
      shadowRejected: 0,
    };
    for (const target of this.#options.targets) target.addTo(counts);
    return counts;
  }

  countRule(id: number, counted: boolean): Promise<void> {
    return this.#inTurn(() => {
      const compiled = this.#set.get(id);
      if (compiled === undefined) throw new ConfigError(["id"], `no rule is ${id}`);
      if (counted === this.#counted.has(id)) return;
      if (counted && this.#counted.size >= COUNTED_RULES_MAX) {
        throw new ConfigError(["id"], `${COUNTED_RULES_MAX} rules are counted`, "stop one");
      }
      if (counted) this.#counted.add(id);
      else this.#counted.delete(id);
      for (const target of this.#options.targets) target.countRule(id, counted);
      const entry = this.#set.entryOf(compiled);
      this.#commit([{ entry, value: entry.value }]);
    });
  }

  ruleHits(id: number): number | undefined {
    if (!this.#counted.has(id)) return undefined;
    return this.#options.targets.reduce((sum, target) => sum + target.ruleHits(id), 0);
  }

  setSamplingRate(percent: number): void | Promise<void> {
    const { delegates } = this.#options;
    if (delegates?.setSamplingRate === undefined) throw missing("sampling");
    return delegates.setSamplingRate(percent);
  }

  setRateLimit(eventsPerSecond: number): void | Promise<void> {
    const { delegates } = this.#options;
    if (delegates?.setRateLimit === undefined) throw missing("rate limits");
    return delegates.setRateLimit(eventsPerSecond);
  }

  /** After the changes before, and once no program may be reading what is to be written. */
  #inTurn<Result>(body: () => Result): Promise<Result> {
    const turn = this.#queue.then(async () => {
      for (let pauses = 0; this.#options.targets.some(({ tables }) => tables.busy()); pauses++) {
        if (pauses === PAUSES_MAX) {
          const options = { errno: ERRNO.EBUSY, hint: "try again" };
          throw new BpfError("filters", "a program has not ended its judgement", options);
        }
        await this.#options.pause();
      }
      return body();
    });
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  #parse(input: FilterRuleInput): FilterRule {
    const rule = parseRule(input);
    const pidMax = this.#options.pidMax ?? PID_MAX;
    if (rule.type === "pid" && rule.pid > pidMax) {
      throw new ConfigError(["pid"], `${rule.pid} is above kernel.pid_max, ${pidMax}`);
    }
    return rule;
  }

  /** One pass to read, one to number: rule sets have thousands. */
  #build(inputs: readonly FilterRuleInput[]): RuleSet {
    const set = new RuleSet(this.#options.capacities, this.#counted);
    const rules: FilterRule[] = [];
    const taken = new Set<number>();
    let i = 0;
    try {
      for (; i < inputs.length; i++) {
        const rule = this.#parse(inputs[i]!);
        rules.push(rule);
        if (rule.id !== undefined) taken.add(rule.id);
      }
      let next = 1;
      for (i = 0; i < rules.length; i++) {
        const rule = rules[i]!;
        if (rule.id === undefined) while (taken.has(next)) next++;
        set.add(rule.id === undefined ? { ...rule, id: next++ } : (rule as NumberedRule));
      }
    } catch (error) {
      throw error instanceof ConfigError ? error.within("rules", i) : error;
    }
    return set;
  }

  #commitChange(remove: readonly number[], add: readonly FilterRuleInput[]): readonly number[] {
    const steps: Step[] = [];
    const ids: number[] = [];
    const removed: CompiledRule[] = [];
    const added: number[] = [];
    const parsed = add.map((input, i) => within(i, () => this.#parse(input)));
    try {
      for (const id of remove) {
        const compiled = this.#set.get(id)!;
        steps.push({ entry: this.#set.entryOf(compiled), value: 0 });
        this.#set.remove(id);
        removed.push(compiled);
      }
      parsed.forEach((rule, i) => {
        const id = rule.id ?? this.#freeId();
        const compiled = within(i, () => this.#set.add({ ...rule, id }));
        if (compiled === undefined) {
          ids.push(this.#twinOf(rule)!.rule.id);
          return;
        }
        added.push(id);
        ids.push(id);
        steps.push({ entry: this.#set.entryOf(compiled), value: undefined });
      });
    } catch (error) {
      for (const id of added.reverse()) this.#set.remove(id);
      for (const { rule } of removed.reverse()) this.#set.add(rule);
      // The rules are those from before; numbers of forms may not be.
      this.#scratch = true;
      throw error;
    }
    if (steps.length > 0) this.#commit(steps);
    return ids;
  }

  /** The rule that matches the same. */
  #twinOf(rule: FilterRule): CompiledRule | undefined {
    // What a rule matches does not depend on its number.
    return this.#set.twin(compileRule({ ...rule, id: 1 }));
  }

  #freeId(): number {
    for (let tries = 0; tries <= RULE_ID_MAX; tries++) {
      this.#lastId = (this.#lastId % RULE_ID_MAX) + 1;
      if (this.#set.get(this.#lastId) === undefined) return this.#lastId;
    }
    throw new ConfigError(["id"], "every id is taken");
  }

  /** Writes what is not in force, everywhere, then puts it in force, everywhere. */
  #commit(steps: readonly Step[]): void {
    const generation = (this.#generation + 1) >>> 0;
    const head = { enabled: this.#enabled, denyByDefault: this.#mode === "deny" };
    const { targets } = this.#options;
    for (const { tables } of targets) {
      tables.write(generation, this.#set, this.#scratch ? undefined : steps, head);
    }
    for (const { tables } of targets) tables.flip(generation);
    this.#scratch = false;
    this.#generation = generation;
    this.#updates++;
  }
}

function networkRule(
  ip: string,
  port: number,
  protocol: number,
  allow: boolean,
  options: NetworkOptions,
): FilterRuleInput {
  return {
    type: "network",
    cidr: ip,
    port: port === 0 ? "any" : port,
    protocol: protocol === 0 ? "any" : protocol,
    action: allow ? "allow" : "deny",
    ...options,
  };
}

function within<Result>(index: number, body: () => Result): Result {
  try {
    return body();
  } catch (error) {
    throw error instanceof ConfigError ? error.within("rules", index) : error;
  }
}

function missing(capability: string): BpfError {
  return new BpfError("filters", `this run has no ${capability}`, { errno: ERRNO.EOPNOTSUPP });
}
