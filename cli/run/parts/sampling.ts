/** Sampling of a run: the strategy in the configuration, in force in every collector's object. */
import { randomBytes } from "node:crypto";
import type { Config } from "#core/config/config.ts";
import { CLASSES } from "#core/sampling/decision.ts";
import { SamplingManager, type SamplingTarget } from "#core/sampling/sampling_manager.ts";
import { SamplingTable } from "#core/sampling/sampling_table.ts";
import { THRESHOLD_MASK } from "#core/sampling/threshold.ts";
import type { Observe } from "#core/telemetry/instrument.ts";
import { SAMPLING } from "#core/telemetry/instruments/sampling.ts";
import type { Running, RunningCollector } from "../running.ts";
import type { RunPart, RunPartKind } from "./part.ts";

function targetOf({ object, pipeline }: RunningCollector): SamplingTarget {
  const table = new SamplingTable(object);
  const types = new Map(
    [...pipeline.schema.types.values()].map(({ spec, number }) => [spec.name, number] as const),
  );
  return {
    types,
    publish: (rules) => table.publish(rules),
    totals: () => table.totals(),
  };
}

const random56 = (): bigint => randomBytes(8).readBigUInt64LE() & THRESHOLD_MASK;

export class SamplingPart implements RunPart {
  readonly manager: SamplingManager;
  readonly #targets: readonly SamplingTarget[];
  #applied: Config["sampling"] | undefined;

  constructor(running: Running) {
    this.#targets = running.collectors.map(targetOf);
    this.manager = new SamplingManager(this.#targets, random56);
  }

  check({ sampling }: Config): void {
    this.manager.check(sampling);
  }

  apply({ sampling }: Config): void {
    // A reload for other reasons is no new epoch.
    if (JSON.stringify(sampling) === JSON.stringify(this.#applied)) return;
    this.#applied = sampling;
    if (sampling.strategy !== "none" || this.manager.config.strategy !== "none") {
      this.manager.configure(sampling);
    }
  }

  tick(now_ns: bigint): void {
    this.manager.tick(now_ns);
  }

  observe(observe: Observe): void {
    const { strategy, effectiveSampleRate, adjustments } = this.manager.getStatistics();
    observe(SAMPLING.rate, effectiveSampleRate, { strategy });
    observe(SAMPLING.adjustments, adjustments, { strategy });
    for (const { types, totals } of this.#targets) {
      const counts = totals();
      for (const [event_type, type] of types) {
        const row = counts.slice(type * CLASSES, (type + 1) * CLASSES);
        const seen = row.reduce((sum, count) => sum + count.seen, 0);
        const kept = row.reduce((sum, count) => sum + count.kept, 0);
        observe(SAMPLING.kept, kept, { event_type, strategy });
        observe(SAMPLING.leftOut, seen - kept, { event_type, strategy });
      }
    }
  }
}

export const samplingPart: RunPartKind = {
  name: "sampling",
  create: (running) => new SamplingPart(running),
};

export function samplingOf(running: Running): SamplingPart {
  return running.part("sampling") as SamplingPart;
}
