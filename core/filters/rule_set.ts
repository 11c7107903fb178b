/**
 * The rules in force, without the kernel: who is there, what stands in the way of whom, and what the
 * head of a generation says of them.
 */
import { ConfigError } from "../config/config_error.ts";
import {
  CGROUP_HIGHS_MAX,
  type CompiledRule,
  compileRule,
  KIND,
  SHAPES_MAX,
  type Shape,
  slotValue,
  TYPE_BIT,
} from "./compile_rule.ts";
import type { Capacities, CapacityName } from "./filter_config.ts";
import { REGIONS } from "./filter_geometry.ts";
import type { Entry } from "./filter_table.ts";
import type { FilterType, NumberedRule } from "./rule.ts";

/** An entry of a table: which region it lies in, and what it is. */
export interface PlacedEntry extends Entry {
  readonly region: CapacityName;
}

interface ShapeUse {
  readonly shape: Shape;
  /** Number of the shape in keys, from 1. */
  readonly tag: number;
  rules: number;
}

interface Counts {
  rules: number;
  allow: number;
  shadowAllow: number;
}

export class RuleSet {
  readonly #capacities: Capacities;
  readonly #rules = new Map<number, CompiledRule>();
  readonly #identities = new Map<number | string, number>();
  readonly #regions = Object.fromEntries(REGIONS.map((name) => [name, 0])) as Record<
    CapacityName,
    number
  >;
  readonly #types = new Map<FilterType, Counts>();
  readonly #kinds = new Uint32Array(64);
  readonly #shapes = {
    network4: new Map<number, ShapeUse>(),
    network6: new Map<number, ShapeUse>(),
  };
  /** Upper halves of cgroup ids, by number; a free place has no rules. */
  readonly #highs: { high: number; rules: number }[] = [];
  readonly #counted: ReadonlySet<number>;

  constructor(capacities: Capacities, counted: ReadonlySet<number>) {
    this.#capacities = capacities;
    this.#counted = counted;
  }

  get size(): number {
    return this.#rules.size;
  }

  get(id: number): CompiledRule | undefined {
    return this.#rules.get(id);
  }

  rules(): IterableIterator<CompiledRule> {
    return this.#rules.values();
  }

  /** The rule that matches exactly what `compiled` matches, whatever its action. */
  twin(compiled: CompiledRule): CompiledRule | undefined {
    const id = this.#identities.get(compiled.identity);
    return id === undefined ? undefined : this.#rules.get(id);
  }

  /**
   * Adds a rule; returns undefined for one that is there already in other words. Throws `ConfigError`, its
   * path within the rule, and changes nothing.
   */
  add(rule: NumberedRule): CompiledRule | undefined {
    const compiled = compileRule(rule);
    const twin = this.twin(compiled);
    if (twin !== undefined && twin.allow === compiled.allow) return undefined;
    if (twin !== undefined) {
      throw new ConfigError(["action"], `contradicts rule ${twin.rule.id}, which matches the same`);
    }
    if (this.#rules.has(rule.id)) {
      throw new ConfigError(["id"], `${rule.id} is the id of another rule`);
    }
    this.#checkRoom(compiled);
    this.#insert(compiled);
    return compiled;
  }

  #checkRoom({ region, shape, words, type }: CompiledRule): void {
    const capacity = this.#capacities[region];
    if (this.#regions[region] >= capacity) {
      throw new ConfigError(
        ["type"],
        `${capacity} ${region} rules fit, this is one more`,
        `raise filters.capacity.${region} and start again`,
      );
    }
    if (shape !== undefined) {
      const shapes = this.#shapes[region as "network4" | "network6"];
      if (!shapes.has(shape.code) && shapes.size >= SHAPES_MAX) {
        throw new ConfigError(
          ["cidr"],
          `${SHAPES_MAX} forms of ${region} rules fit, this is one more`,
          "use fewer prefix lengths, or fewer mixtures of port, protocol and endpoint",
        );
      }
    }
    if (type === "cgroup" && this.#highOf(words[1]!) < 0 && this.#freeHigh() < 0) {
      throw new ConfigError(["cgroup"], `ids of ${CGROUP_HIGHS_MAX} upper halves fit, one more`);
    }
  }

  #highOf(high: number): number {
    return this.#highs.findIndex((use) => use.rules > 0 && use.high === high);
  }

  #freeHigh(): number {
    const free = this.#highs.findIndex(({ rules }) => rules === 0);
    if (free >= 0) return free;
    return this.#highs.length < CGROUP_HIGHS_MAX ? this.#highs.length : -1;
  }

  #insert(compiled: CompiledRule): void {
    const { rule, identity, region, shape, type, words } = compiled;
    this.#rules.set(rule.id, compiled);
    this.#identities.set(identity, rule.id);
    this.#regions[region]++;
    if (shape !== undefined) this.#useShape(this.#shapes[region as "network4"], shape);
    if (type === "cgroup") {
      let place = this.#highOf(words[1]!);
      if (place < 0) {
        place = this.#freeHigh();
        this.#highs[place] = { high: words[1]!, rules: 0 };
      }
      this.#highs[place]!.rules++;
    }
    this.#count(compiled, 1);
  }

  #useShape(shapes: Map<number, ShapeUse>, shape: Shape): void {
    const use = shapes.get(shape.code);
    if (use !== undefined) {
      use.rules++;
      return;
    }
    const taken = new Set([...shapes.values()].map(({ tag }) => tag));
    let tag = 1;
    while (taken.has(tag)) tag++;
    shapes.set(shape.code, { shape, tag, rules: 1 });
  }

  #count(compiled: CompiledRule, by: number): void {
    const { type, allow, shadow } = compiled;
    let counts = this.#types.get(type);
    if (counts === undefined) {
      counts = { rules: 0, allow: 0, shadowAllow: 0 };
      this.#types.set(type, counts);
    }
    counts.rules += by;
    if (allow && !shadow) counts.allow += by;
    if (allow && shadow) counts.shadowAllow += by;
    const kind = this.#kindOf(compiled);
    if (type !== "network") this.#kinds[kind]! += by;
  }

  #kindOf({ type, kind, words, shadow }: CompiledRule): number {
    if (type === "network") return 0;
    const base = type === "cgroup" ? KIND.CGROUP + this.#highOf(words[1]!) : kind;
    return base + (shadow ? KIND.SHADOW : 0);
  }

  /** Takes a rule out. Ask for its entry before: later the set has forgotten where it lay. */
  remove(id: number): void {
    const compiled = this.#rules.get(id)!;
    const { region, shape, type, words } = compiled;
    this.#count(compiled, -1);
    this.#rules.delete(id);
    this.#identities.delete(compiled.identity);
    this.#regions[region]--;
    if (shape !== undefined) {
      const shapes = this.#shapes[region as "network4" | "network6"];
      const use = shapes.get(shape.code)!;
      if (--use.rules === 0) shapes.delete(shape.code);
    }
    if (type === "cgroup") this.#highs[this.#highOf(words[1]!)]!.rules--;
  }

  /** The rule as it lies in the table now. */
  entryOf(compiled: CompiledRule): PlacedEntry {
    const { region, words, shape, type, rule } = compiled;
    const value = slotValue(compiled, this.#counted.has(rule.id));
    if (shape !== undefined) {
      const { tag } = this.#shapes[region as "network4" | "network6"].get(shape.code)!;
      const key = words.slice();
      key[key.length - 1] = (key[key.length - 1]! | (tag << 24)) >>> 0;
      return { region, key, value };
    }
    const kind = this.#kindOf(compiled);
    if (type === "command") return { region, key: [...words, (kind << 24) >>> 0], value };
    return { region, key: words, value: (value | (kind << 24)) >>> 0 };
  }

  /** Forms of network rules in the order in which they are tried. */
  shapes(family: "network4" | "network6"): { readonly shape: Shape; readonly tag: number }[] {
    return [...this.#shapes[family].values()].sort((a, b) => b.shape.code - a.shape.code);
  }

  get cgroupHighs(): readonly number[] {
    return this.#highs.map(({ high }) => high);
  }

  rulesOf(type: FilterType): number {
    return this.#types.get(type)?.rules ?? 0;
  }

  /** Masks of `enum filter_type` for the types in `enabled`. */
  masks(enabled: ReadonlySet<FilterType>): {
    readonly consulted: number;
    readonly required: number;
    readonly shadowRequired: number;
  } {
    const masks = { consulted: 0, required: 0, shadowRequired: 0 };
    for (const [type, { rules, allow, shadowAllow }] of this.#types) {
      if (!enabled.has(type)) continue;
      if (rules > 0) masks.consulted |= TYPE_BIT[type];
      if (allow > 0) masks.required |= TYPE_BIT[type];
      if (shadowAllow > 0) masks.shadowRequired |= TYPE_BIT[type];
    }
    return masks;
  }

  /** Masks of `enum filter_kind`, of rules and of shadow rules. */
  kinds(): readonly [number, number] {
    const mask = (from: number) => {
      let bits = 0;
      for (let kind = 0; kind < 32; kind++) if (this.#kinds[from + kind]! > 0) bits |= 1 << kind;
      return bits >>> 0;
    };
    return [mask(0), mask(KIND.SHADOW)];
  }
}
