/** Filters of a run: the rules of the configuration, in force in every collector. */
import { readFileSync } from "node:fs";
import { setImmediate as turn } from "node:timers/promises";
import type { Config } from "#core/config/config.ts";
import { ConfigError } from "#core/config/config_error.ts";
import {
  CAPACITY_DEFAULT,
  CAPACITY_NAMES,
  type Capacities,
  type CapacityName,
  type FilterConfig,
} from "#core/filters/filter_config.ts";
import { geometryFor, mapSizes } from "#core/filters/filter_geometry.ts";
import type { FilterDelegates, FilterManager } from "#core/filters/filter_manager.ts";
import { FilterTarget } from "#core/filters/filter_target.ts";
import { LiveFilters } from "#core/filters/live_filters.ts";
import { FILTER_TYPES, type FilterRule, PID_MAX } from "#core/filters/rule.ts";
import { Xoshiro128 } from "#core/random/xoshiro128.ts";
import type { Observe } from "#core/telemetry/instrument.ts";
import { FILTERS } from "#core/telemetry/instruments/filters.ts";
import { STATISTICS } from "#core/telemetry/instruments/statistics.ts";
import type { Running } from "../running.ts";
import type { RunPart, RunPartKind } from "./part.ts";

/** The part with the manager, for control commands: `running.part("filters")`. */
export interface FiltersPart extends RunPart {
  readonly manager: FilterManager;
  /** What `setSamplingRate` and `setRateLimit` hand on to. */
  readonly delegates: FilterDelegates;
}

function tableOf(rule: FilterRule): CapacityName {
  if (rule.type !== "network") return rule.type;
  return rule.cidr.includes(":") ? "network6" : "network4";
}

/** Rules that are to fit: what the configuration says, else room to grow. */
export function capacitiesOf({ capacity, rules }: FilterConfig): Capacities {
  const counts = new Map<CapacityName, number>();
  for (const rule of rules) counts.set(tableOf(rule), (counts.get(tableOf(rule)) ?? 0) + 1);
  return Object.fromEntries(
    CAPACITY_NAMES.map((name) => [
      name,
      capacity[name] ?? Math.max(CAPACITY_DEFAULT, 2 * (counts.get(name) ?? 0)),
    ]),
  ) as Capacities;
}

/** `kernel.pid_max`; what a kernel may have at most where it cannot be read. */
function pidMax(): number {
  try {
    return Number(readFileSync("/proc/sys/kernel/pid_max", "utf8"));
  } catch {
    return PID_MAX;
  }
}

function seedOf(running: Running): number {
  // Where rules lie in a table must not make two simulated runs differ.
  if (running.backend.kind === "wasm") return 1;
  return crypto.getRandomValues(new Uint32Array(1))[0]!;
}

class Filters implements FiltersPart {
  readonly manager: LiveFilters;
  readonly delegates: FilterDelegates = {};
  readonly #capacity: string;
  #applied = "";

  constructor(running: Running) {
    const { filters } = running.config;
    const capacities = capacitiesOf(filters);
    const geometry = geometryFor(capacities);
    const random = new Xoshiro128(seedOf(running));
    this.#capacity = JSON.stringify(filters.capacity);
    this.manager = new LiveFilters({
      targets: running.collectors.map(
        ({ object }) => new FilterTarget(object, geometry, () => random.u32()),
      ),
      capacities,
      random: () => random.u32(),
      pause: () => turn(),
      pidMax: running.backend.kind === "kernel" ? pidMax() : PID_MAX,
      delegates: this.delegates,
    });
  }

  check({ filters }: Config): void {
    if (JSON.stringify(filters.capacity) !== this.#capacity) {
      const path = ["filters", "capacity"];
      throw new ConfigError(path, "cannot change while the run lasts", "start it again");
    }
    try {
      this.manager.check(filters.rules);
    } catch (error) {
      throw error instanceof ConfigError ? error.within("filters") : error;
    }
  }

  /** Rules that commands have changed since stay until the section itself changes. */
  async apply({ filters }: Config): Promise<void> {
    const { rules, mode, types } = filters;
    const wanted = JSON.stringify([rules, mode, types]);
    if (wanted === this.#applied) return;
    await this.manager.configure(rules, mode, types);
    this.#applied = wanted;
  }

  observe(observe: Observe): void {
    const { types, updates, shadowRejected } = this.manager.getStatistics();
    for (const type of FILTER_TYPES) {
      const attributes = { filter_type: type };
      const { hits, misses, rules } = types[type];
      observe(STATISTICS.filterHits, hits, attributes);
      observe(FILTERS.misses, misses, attributes);
      observe(FILTERS.active, rules, attributes);
    }
    observe(FILTERS.updates, updates);
    observe(FILTERS.shadowRejected, shadowRejected);
  }
}

export const filtersPart: RunPartKind = {
  name: "filters",
  openOptions: (_spec, { filters }) => ({
    maxEntries: mapSizes(geometryFor(capacitiesOf(filters))),
  }),
  create: (running) => new Filters(running),
};
