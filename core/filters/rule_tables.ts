/**
 * The kernel's two generations of rules, as bytes. The one that is not in force is brought up to date,
 * by what has changed since it was or from scratch; then one word puts it in force.
 */
import { BpfError } from "../errors.ts";
import { maskWord } from "./address.ts";
import { CGROUP_HIGHS_MAX } from "./compile_rule.ts";
import { type Geometry, REGIONS, type TableName } from "./filter_geometry.ts";
import type { FilterLayout, StateLayout } from "./filter_layout.ts";
import { FilterTable } from "./filter_table.ts";
import type { FilterType } from "./rule.ts";
import type { PlacedEntry, RuleSet } from "./rule_set.ts";

/** Memory of the maps, in words. */
export interface TableMemory extends Readonly<Record<TableName, Uint32Array>> {
  readonly state: Uint32Array;
}

/** One step from a rule set to the next: an entry that comes, goes (0) or gets another value. */
export interface Step {
  readonly entry: PlacedEntry;
  /** Undefined: the entry is new. */
  readonly value: number | undefined;
}

/** What the head of a generation says beside the rules. */
export interface Head {
  readonly enabled: ReadonlySet<FilterType>;
  readonly denyByDefault: boolean;
}

/** More steps than this many for each rule, and a generation is written from scratch. */
const STEPS_PER_RULE_MAX = 0.5;
const SEEDS_MAX = 64;

export class RuleTables {
  readonly #layout: FilterLayout;
  readonly #geometry: Geometry;
  readonly #memory: () => TableMemory;
  readonly #random: () => number;
  readonly #seeds: [number, number] = [0, 0];
  /** What each generation lacks; undefined: it is to be written from scratch. */
  readonly #behind: [Step[] | undefined, Step[] | undefined] = [undefined, undefined];

  /**
   * `memory` is asked for before every change; `random` gives seeds, unsigned words of 32 bits.
   */
  constructor(
    layout: FilterLayout,
    geometry: Geometry,
    memory: () => TableMemory,
    random: () => number,
  ) {
    this.#layout = layout;
    this.#geometry = geometry;
    this.#memory = memory;
    this.#random = random;
  }

  get generation(): number {
    return this.#memory().state[this.#layout.state.current]!;
  }

  /** Whether a program may still be reading the generation that is not in force. */
  busy(): boolean {
    const { state } = this.#memory();
    const words = new Int32Array(state.buffer, state.byteOffset, state.length);
    return Atomics.load(words, this.#layout.state.judging) !== 0;
  }

  /**
   * Writes `rules`, which `steps` lead to, into the generation that is not in force, as number
   * `generation`. Nobody may be `busy()`. Undefined steps: from scratch.
   */
  write(generation: number, rules: RuleSet, steps: readonly Step[] | undefined, head: Head): void {
    const half = generation & 1;
    for (const side of [0, 1] as const) {
      const behind = this.#behind[side];
      if (steps === undefined) this.#behind[side] = undefined;
      else if (behind !== undefined) {
        if (behind.length + steps.length > rules.size * STEPS_PER_RULE_MAX + 1000) {
          this.#behind[side] = undefined;
        } else behind.push(...steps);
      }
    }
    const memory = this.#memory();
    const behind = this.#behind[half as 0 | 1];
    if (behind === undefined || !this.#follow(memory, half, behind)) {
      this.#rewrite(memory, half, rules);
    }
    this.#behind[half as 0 | 1] = [];
    this.#writeHead(memory, half, rules, head);
  }

  /** Puts the generation that was written in force: one store. */
  flip(generation: number): void {
    const { state } = this.#memory();
    const words = new Int32Array(state.buffer, state.byteOffset, state.length);
    Atomics.store(words, this.#layout.state.current, generation | 0);
  }

  #tables(memory: TableMemory): Readonly<Record<TableName, FilterTable>> {
    const table = (name: TableName) => new FilterTable(this.#layout.tables[name], memory[name]);
    return { scalars: table("scalars"), networks4: table("networks4"), wides: table("wides") };
  }

  #buckets(half: number, name: PlacedEntry["region"]) {
    const { base, count, table } = this.#geometry.regions[name];
    return { table, base: base + half * this.#geometry.half[table], count };
  }

  /** False where a table has no room left for a rule with its seed; then it lacks one. */
  #follow(memory: TableMemory, half: number, steps: readonly Step[]): boolean {
    const tables = this.#tables(memory);
    const seed = this.#seeds[half as 0 | 1];
    for (const { entry, value } of steps) {
      const buckets = this.#buckets(half, entry.region);
      const table = tables[buckets.table];
      const done =
        value === undefined
          ? table.insert(buckets, seed, entry)
          : table.change(buckets, seed, entry, value);
      if (!done) return false;
    }
    return true;
  }

  #rewrite(memory: TableMemory, half: number, rules: RuleSet): void {
    for (let attempt = 0; attempt < SEEDS_MAX; attempt++) {
      const seed = this.#random() >>> 0;
      this.#seeds[half as 0 | 1] = seed;
      if (this.#fill(memory, half, seed, rules)) return;
    }
    throw new BpfError("filters", `no seed of ${SEEDS_MAX} places the rules`, {
      hint: "raise filters.capacity",
    });
  }

  #fill(memory: TableMemory, half: number, seed: number, rules: RuleSet): boolean {
    const tables = this.#tables(memory);
    for (const name of REGIONS) {
      const buckets = this.#buckets(half, name);
      tables[buckets.table].clear(buckets);
    }
    for (const rule of rules.rules()) {
      const entry = rules.entryOf(rule);
      const buckets = this.#buckets(half, entry.region);
      if (!tables[buckets.table].insert(buckets, seed, entry)) return false;
    }
    return true;
  }

  #writeHead({ state }: TableMemory, half: number, rules: RuleSet, head: Head): void {
    const layout = this.#layout.state;
    const base = layout.generations[half as 0 | 1];
    const put = (path: string, value: number): void => {
      state[base + layout.at(path)] = value;
    };
    const { consulted, required, shadowRequired } = rules.masks(head.enabled);
    put("judges", consulted !== 0 || head.denyByDefault ? 1 : 0);
    put("consulted", consulted);
    put("required", required);
    put("shadow_required", shadowRequired);
    put("deny_by_default", head.denyByDefault ? 1 : 0);
    const [kinds, shadowKinds] = rules.kinds();
    put("kinds", kinds);
    put("shadow_kinds", shadowKinds);
    put("seed", this.#seeds[half as 0 | 1]);
    const highs = rules.cgroupHighs;
    put("cgroup_highs_count", highs.length);
    for (let i = 0; i < CGROUP_HIGHS_MAX; i++) put(`cgroup_high[${i}]`, highs[i] ?? 0);
    REGIONS.forEach((name, i) => {
      const { base: first, count } = this.#buckets(half, name);
      put(`region_base[${i}]`, first);
      put(`region_count[${i}]`, count);
    });
    writeShapes(layout, state.subarray(base), rules);
  }
}

/** Address masks are words as they lie in memory; ports and protocols are numbers. */
function writeShapes(layout: StateLayout, words: Uint32Array, rules: RuleSet): void {
  const put = (path: string, value: number, word = 0): void => {
    words[layout.at(path) + word] = value;
  };
  const shapes4 = rules.shapes("network4");
  put("shapes4_count", shapes4.length);
  shapes4.forEach(({ shape, tag }, i) => {
    const path = `shapes4[${i}]`;
    put(`${path}.mask`, maskWord(shape.prefix, 0));
    put(`${path}.mask`, (shape.port ? 0xffff : 0) | (shape.protocol ? 0xff_0000 : 0), 1);
    put(`${path}.tag`, 0);
    put(`${path}.tag`, (tag << 24) >>> 0, 1);
    put(`${path}.sides`, shape.sides);
    put(`${path}.shadow`, shape.shadow ? 1 : 0);
  });
  const shapes6 = rules.shapes("network6");
  put("shapes6_count", shapes6.length);
  shapes6.forEach(({ shape, tag }, i) => {
    const path = `shapes6[${i}]`;
    for (const word of [0, 1]) {
      put(`${path}.mask_high`, maskWord(shape.prefix, word), word);
      put(`${path}.mask_low`, maskWord(shape.prefix, 2 + word), word);
    }
    put(`${path}.mask_rest`, (shape.port ? 0xffff : 0) | (shape.protocol ? 0xff_0000 : 0));
    put(`${path}.tag`, (tag << 24) >>> 0);
    put(`${path}.sides`, shape.sides);
    put(`${path}.shadow`, shape.shadow ? 1 : 0);
  });
}
