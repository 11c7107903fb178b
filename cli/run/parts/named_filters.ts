/** Filter rules about names: resolved at the start, and again while what they name comes and goes. */
import { readFileSync } from "node:fs";
import type { Config } from "#core/config/config.ts";
import { expandNamedRule, type NamedRule } from "#core/filters/named_rule.ts";
import { type FilterRuleInput, PID_MAX } from "#core/filters/rule.ts";
import { MACHINE_ROOTS, type ResolverRoots, resolveNamedRule } from "../../resolve/resolver.ts";
import type { Running } from "../running.ts";
import type { FiltersPart } from "./filters.ts";
import type { RunPart, RunPartKind } from "./part.ts";

/** Between two looks at the machine. */
const INTERVAL_MS = 1000;

/** PIDs stay below it. */
function pidMax(): number {
  try {
    return Number(readFileSync("/proc/sys/kernel/pid_max", "utf8"));
  } catch {
    return PID_MAX;
  }
}

export class NamedFilters implements RunPart {
  readonly #filters: FiltersPart;
  readonly #roots: ResolverRoots;
  readonly #noPid = pidMax();
  #rules: readonly NamedRule[] = [];
  /** Numbers in force, by rule. */
  #inForce = new Map<string, number>();
  #next_ms = 0;
  #busy = false;

  constructor(running: Running, roots: ResolverRoots = MACHINE_ROOTS) {
    this.#filters = running.part("filters") as FiltersPart;
    this.#roots = roots;
  }

  async apply({ named_filters }: Config): Promise<void> {
    this.#rules = named_filters;
    await this.refresh();
  }

  tick(): void {
    if (this.#busy || (this.#rules.length === 0 && this.#inForce.size === 0)) return;
    if (performance.now() < this.#next_ms) return;
    this.refresh().catch((error: Error) =>
      console.error(`tapio-bpf: named_filters: ${error.message}; the rules before stay`),
    );
  }

  /** Looks at the machine; where something came or went, puts it in force as one change. */
  async refresh(): Promise<void> {
    this.#busy = true;
    try {
      const { manager } = this.#filters;
      // Another rule set from the configuration has taken ours away.
      const present = new Set(manager.list().map(({ id }) => id));
      for (const [key, id] of this.#inForce) if (!present.has(id)) this.#inForce.delete(key);
      const wanted = this.#expand();
      const gone = [...this.#inForce].filter(([key]) => !wanted.has(key));
      const fresh = [...wanted].filter(([key]) => !this.#inForce.has(key));
      if (gone.length === 0 && fresh.length === 0) return;
      const ids = await manager.change({
        remove: gone.map(([, id]) => id),
        add: fresh.map(([, rule]) => rule),
      });
      for (const [key] of gone) this.#inForce.delete(key);
      for (const [i, [key]] of fresh.entries()) this.#inForce.set(key, ids[i]!);
    } finally {
      this.#busy = false;
      this.#next_ms = performance.now() + INTERVAL_MS;
    }
  }

  #expand(): Map<string, FilterRuleInput> {
    const wanted = new Map<string, FilterRuleInput>();
    for (const rule of this.#rules) {
      const resolution = resolveNamedRule(rule, this.#roots);
      for (const each of expandNamedRule(rule, resolution, this.#noPid)) {
        wanted.set(JSON.stringify(each), each);
      }
    }
    return wanted;
  }
}

export const namedFiltersPart: RunPartKind = {
  name: "named_filters",
  create: (running) => new NamedFilters(running),
};
