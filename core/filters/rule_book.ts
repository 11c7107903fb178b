/** The rules of a run and their numbers: reads rules, replaces all of them, or changes some or none. */
import { ConfigError } from "../config/config_error.ts";
import { type CompiledRule, compileRule } from "./compile_rule.ts";
import type { Capacities } from "./filter_config.ts";
import { parseRule } from "./parse_rule.ts";
import {
  type FilterRule,
  type FilterRuleInput,
  type NumberedRule,
  PID_MAX,
  RULE_ID_MAX,
} from "./rule.ts";
import { RuleSet } from "./rule_set.ts";
import type { Step } from "./rule_tables.ts";

export interface RuleBookOptions {
  readonly capacities: Capacities;
  /** `kernel.pid_max` of the machine; default what a kernel may have at most. */
  readonly pidMax?: number;
}

export interface RuleChange {
  /** What tables that hold the rules from before have to write. */
  readonly steps: readonly Step[];
  /** Numbers of the rules that were to be added; of its twin for one that was there already. */
  readonly ids: readonly number[];
}

export class RuleBook {
  /** Numbers of the rules that are counted one by one. */
  readonly counted = new Set<number>();
  readonly #options: RuleBookOptions;
  #set: RuleSet;
  #lastId = 0;

  constructor(options: RuleBookOptions) {
    this.#options = options;
    this.#set = new RuleSet(options.capacities, this.counted);
  }

  get set(): RuleSet {
    return this.#set;
  }

  /** Throws `ConfigError` with the place of the fault within the rule. */
  parse(input: FilterRuleInput): FilterRule {
    const rule = parseRule(input);
    const pidMax = this.#options.pidMax ?? PID_MAX;
    if (rule.type === "pid" && rule.pid > pidMax) {
      throw new ConfigError(["pid"], `${rule.pid} is above kernel.pid_max, ${pidMax}`);
    }
    return rule;
  }

  /** The same of a list, with the place within `rules`. */
  parseAll(inputs: readonly FilterRuleInput[]): FilterRule[] {
    return inputs.map((input, i) => within(i, () => this.parse(input)));
  }

  /** A set of these rules, all numbered; the rules in the book stay. Throws `ConfigError`. */
  build(inputs: readonly FilterRuleInput[]): RuleSet {
    const set = new RuleSet(this.#options.capacities, this.counted);
    const rules = this.parseAll(inputs);
    const taken = new Set(rules.map(({ id }) => id));
    let next = 1;
    rules.forEach((rule, i) => {
      if (rule.id === undefined) while (taken.has(next)) next++;
      const numbered = rule.id === undefined ? { ...rule, id: next++ } : (rule as NumberedRule);
      within(i, () => set.add(numbered));
    });
    return set;
  }

  /** Throws `ConfigError`, and nothing has changed. */
  replace(inputs: readonly FilterRuleInput[]): void {
    this.#set = this.build(inputs);
  }

  /** The rule that matches the same. */
  twinOf(rule: FilterRule): CompiledRule | undefined {
    // What a rule matches does not depend on its number.
    return this.#set.twin(compileRule({ ...rule, id: 1 }));
  }

  /**
   * Removes rules by numbers that exist, then adds others. Throws `ConfigError`; the rules are then those from before,
   * but may lie elsewhere, so tables have to be written from scratch.
   */
  change(remove: readonly number[], add: readonly FilterRule[]): RuleChange {
    const removed: CompiledRule[] = [];
    const added: number[] = [];
    try {
      const removals = remove.map((id) => this.#remove(id, removed));
      const additions = add.map((rule, i) => within(i, () => this.#add(rule, added)));
      const steps = additions.flatMap(({ step }) => (step === undefined ? [] : [step]));
      return { steps: [...removals, ...steps], ids: additions.map(({ id }) => id) };
    } catch (error) {
      for (const id of added.reverse()) this.#set.remove(id);
      for (const { rule } of removed.reverse()) this.#set.add(rule);
      throw error;
    }
  }

  #remove(id: number, removed: CompiledRule[]): Step {
    const compiled = this.#set.get(id)!;
    const step = { entry: this.#set.entryOf(compiled), value: 0 };
    this.#set.remove(id);
    removed.push(compiled);
    return step;
  }

  #add(rule: FilterRule, added: number[]): { readonly id: number; readonly step?: Step } {
    const id = rule.id ?? this.#freeId();
    const compiled = this.#set.add({ ...rule, id });
    if (compiled === undefined) return { id: this.twinOf(rule)!.rule.id };
    added.push(id);
    return { id, step: { entry: this.#set.entryOf(compiled), value: undefined } };
  }

  #freeId(): number {
    for (let tries = 0; tries <= RULE_ID_MAX; tries++) {
      this.#lastId = (this.#lastId % RULE_ID_MAX) + 1;
      if (this.#set.get(this.#lastId) === undefined) return this.#lastId;
    }
    throw new ConfigError(["id"], "every id is taken");
  }
}

function within<Result>(index: number, body: () => Result): Result {
  try {
    return body();
  } catch (error) {
    throw error instanceof ConfigError ? error.within("rules", index) : error;
  }
}
