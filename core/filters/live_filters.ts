/** The `FilterManager` of a run: one rule set, in force in every collector. */
import { ConfigError } from "../config/config_error.ts";
import { BpfError, ERRNO } from "../errors.ts";
import type {
  FilterDelegates,
  FilterManager,
  FilterMode,
  FilterStatistics,
  NetworkOptions,
  TypeStatistics,
} from "./filter_manager.ts";
import type { FilterTarget, OutcomeCounts } from "./filter_target.ts";
import {
  FILTER_TYPES,
  type FilterRuleInput,
  type FilterType,
  type NamespaceKind,
  type NumberedRule,
} from "./rule.ts";
import { RuleBook, type RuleBookOptions } from "./rule_book.ts";
import type { Step } from "./rule_tables.ts";

/** A program judges for less than a microsecond; one that waits for its CPU, for some milliseconds. */
const PAUSES_MAX = 10_000;
const COUNTED_RULES_MAX = 1024;

export interface LiveFilterOptions extends RuleBookOptions {
  readonly targets: readonly FilterTarget[];
  /** Unsigned words of 32 bits. */
  readonly random: () => number;
  /** Waits a little, so that a program that is judging may go on. */
  readonly pause: () => Promise<void>;
  readonly delegates?: FilterDelegates;
}

export class LiveFilters implements FilterManager {
  readonly #options: LiveFilterOptions;
  readonly #book: RuleBook;
  #enabled = new Set<FilterType>(FILTER_TYPES);
  #mode: FilterMode = "allow";
  /** Tables may differ from the set in where things lie: write them from scratch. */
  #scratch = true;
  #generation = 0;
  #updates = 0;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: LiveFilterOptions) {
    this.#options = options;
    this.#book = new RuleBook(options);
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
      if (this.#book.set.get(id) === undefined) return false;
      this.#commitChange([id], []);
      return true;
    });
  }

  #removeLike(rule: FilterRuleInput): Promise<boolean> {
    return this.#inTurn(() => {
      const twin = this.#book.twinOf(this.#book.parse(rule));
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
        if (this.#book.set.get(id) === undefined)
          throw new ConfigError(["remove"], `no rule is ${id}`);
      }
      return this.#commitChange(remove, change.add ?? []);
    });
  }

  replaceAll(rules: readonly FilterRuleInput[]): Promise<void> {
    return this.#inTurn(() => {
      this.#book.replace(rules);
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
      this.#book.replace(rules);
      this.#scratch = true;
      this.#mode = mode;
      this.#enabled = new Set(types);
      this.#commit([]);
    });
  }

  check(rules: readonly FilterRuleInput[]): void {
    this.#book.build(rules);
  }

  clearAll(): Promise<void> {
    return this.replaceAll([]);
  }

  list(): readonly NumberedRule[] {
    const rules = [...this.#book.set.rules()].map(({ rule }) => rule);
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
      const rules = this.#book.set.rulesOf(type);
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
      const compiled = this.#book.set.get(id);
      if (compiled === undefined) throw new ConfigError(["id"], `no rule is ${id}`);
      if (counted === this.#book.counted.has(id)) return;
      if (counted && this.#book.counted.size >= COUNTED_RULES_MAX) {
        throw new ConfigError(["id"], `${COUNTED_RULES_MAX} rules are counted`, "stop one");
      }
      if (counted) this.#book.counted.add(id);
      else this.#book.counted.delete(id);
      for (const target of this.#options.targets) target.countRule(id, counted);
      const entry = this.#book.set.entryOf(compiled);
      this.#commit([{ entry, value: entry.value }]);
    });
  }

  ruleHits(id: number): number | undefined {
    if (!this.#book.counted.has(id)) return undefined;
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

  #commitChange(remove: readonly number[], add: readonly FilterRuleInput[]): readonly number[] {
    const parsed = this.#book.parseAll(add);
    try {
      const { steps, ids } = this.#book.change(remove, parsed);
      if (steps.length > 0) this.#commit(steps);
      return ids;
    } catch (error) {
      this.#scratch = true;
      throw error;
    }
  }

  /** Writes what is not in force, everywhere, then puts it in force, everywhere. */
  #commit(steps: readonly Step[]): void {
    const generation = (this.#generation + 1) >>> 0;
    const head = { enabled: this.#enabled, denyByDefault: this.#mode === "deny" };
    const { targets } = this.#options;
    for (const { tables } of targets) {
      tables.write(generation, this.#book.set, this.#scratch ? undefined : steps, head);
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

function missing(capability: string): BpfError {
  return new BpfError("filters", `this run has no ${capability}`, { errno: ERRNO.EOPNOTSUPP });
}
