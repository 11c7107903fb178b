/** User space that changes rules a few words at a time, whenever a program is preempted. */
import { filterLayout } from "#core/filters/filter_layout.ts";
import { tableMemory } from "#core/filters/filter_target.ts";
import {
  FILTER_TYPES,
  type FilterRuleInput,
  filterRuleSchema,
  type NumberedRule,
} from "#core/filters/rule.ts";
import { RuleSet } from "#core/filters/rule_set.ts";
import { RuleTables, type TableMemory } from "#core/filters/rule_tables.ts";
import type { Xoshiro128 } from "#core/random/xoshiro128.ts";
import type { Judge } from "./judge.ts";
import { capacities } from "./pairs.ts";

type Array32 = keyof TableMemory;
const ARRAYS: readonly Array32[] = ["state", "scalars", "networks4", "wides"];

interface Write {
  readonly array: Array32;
  readonly index: number;
  readonly value: number;
}

/** The rules of a set that fit, with ids. */
function rulesOf(inputs: readonly FilterRuleInput[], capacity: number): NumberedRule[] {
  const set = new RuleSet(capacities(capacity), new Set());
  inputs.forEach((input, i) => {
    try {
      set.add({ ...filterRuleSchema.parse(input), id: i + 1 });
    } catch {
      // What does not fit is no part of this set.
    }
  });
  return [...set.rules()].map(({ rule }) => rule);
}

export interface FlipperOptions {
  readonly sets: readonly (readonly FilterRuleInput[])[];
  readonly capacity: number;
  readonly random: Xoshiro128;
  /** A planted defect: what a writer may not do. */
  readonly defect?: "does not wait" | "writes what is in force";
}

/** Does what the manager does, in steps: wait for programs, write the idle generation, flip. */
export class Flipper {
  /** Rules by generation. */
  readonly history = new Map<number, readonly NumberedRule[]>([[0, []]]);
  flips = 0;
  /** Steps at which a program that was judging made the writer wait. */
  waits = 0;
  readonly #judge: Judge;
  readonly #options: FlipperOptions;
  readonly #copy: TableMemory;
  readonly #tables: RuleTables;
  readonly #current: number;
  readonly #judging: number;
  #writes: Write[] = [];
  #writing = false;

  constructor(judge: Judge, options: FlipperOptions) {
    this.#judge = judge;
    this.#options = options;
    const layout = filterLayout(judge.object.btf);
    const memory = tableMemory(judge.object);
    this.#copy = {
      state: memory.state.slice(),
      scalars: memory.scalars.slice(),
      networks4: memory.networks4.slice(),
      wides: memory.wides.slice(),
    };
    this.#current = layout.state.current;
    this.#judging = layout.state.judging;
    this.#tables = new RuleTables(
      layout,
      judge.geometry,
      () => this.#copy,
      () => options.random.u32(),
    );
  }

  get #generation(): number {
    return this.#copy.state[this.#current]!;
  }

  /** A turn of user space: some words, or a flip, or nothing. */
  step(): void {
    const { random, defect } = this.#options;
    if (!this.#writing) {
      if (this.#busy() && defect !== "does not wait") {
        this.waits++;
        return;
      }
      this.#begin();
    }
    const memory = tableMemory(this.#judge.object);
    const count = random.below(3) === 0 ? this.#writes.length : random.below(40);
    for (const { array, index, value } of this.#writes.splice(0, count)) {
      memory[array][index] = value;
    }
    if (this.#writes.length > 0 || random.below(2) === 0) return;
    this.#copy.state[this.#current] = this.#generation + 1;
    memory.state[this.#current] = this.#generation;
    this.#writing = false;
    this.flips++;
  }

  #busy(): boolean {
    return tableMemory(this.#judge.object).state[this.#judging] !== 0;
  }

  /** What stands in the way of the next generation, as single words. */
  #begin(): void {
    const { sets, capacity, random, defect } = this.#options;
    const generation = this.#generation + 1;
    const rules = rulesOf(sets[random.below(sets.length)]!, capacity);
    const set = new RuleSet(capacities(capacity), new Set());
    for (const rule of rules) set.add(rule);
    const before = Object.fromEntries(
      ARRAYS.map((array) => [array, this.#copy[array].slice()]),
    ) as unknown as TableMemory;
    const number = defect === "writes what is in force" ? generation + 1 : generation;
    this.#tables.write(number, set, undefined, {
      enabled: new Set(FILTER_TYPES),
      denyByDefault: false,
    });
    this.history.set(generation, rules);
    this.#writes = [];
    for (const array of ARRAYS) {
      this.#copy[array].forEach((value, index) => {
        if (value !== before[array][index]) this.#writes.push({ array, index, value });
      });
    }
    this.#writing = true;
  }
}
