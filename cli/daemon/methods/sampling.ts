/** Sampling of a run in progress. */
import { z } from "zod";
import type { EventReservoir } from "#core/sampling/event_reservoirs.ts";
import { STRATEGIES } from "#core/sampling/sampling_config.ts";
import type { SamplingStatistics } from "#core/sampling/sampling_manager.ts";
import { reservoirsOf } from "../../run/parts/reservoirs.ts";
import { samplingOf } from "../../run/parts/sampling.ts";
import type { Running } from "../../run/running.ts";
import { type ControlMethod, controlMethod } from "../method.ts";

/** What `sample show` shows of a run, and `sample set` of what it changed. */
export interface ShownSampling extends SamplingStatistics {
  /** Samples of fixed size; absent where none is configured. */
  readonly reservoirs?: readonly EventReservoir[];
}

function shown(running: Running): ShownSampling {
  const statistics = samplingOf(running).manager.getStatistics();
  const reservoirs = reservoirsOf(running);
  return { ...statistics, ...(reservoirs === undefined ? {} : { reservoirs }) };
}

const rate = z.number().min(0).max(1);

export const samplingMethods: readonly ControlMethod[] = [
  controlMethod({
    name: "sampling.show",
    params: z.strictObject({}).default({}),
    handle: ({ running }) => shown(running),
  }),
  controlMethod({
    name: "sampling.set",
    params: z.strictObject({
      strategy: z.enum(STRATEGIES).optional(),
      rate: rate.optional(),
      types: z.record(z.string(), rate).optional(),
      target_events_per_s: z.number().positive().optional(),
    }),
    /** All of it at once, as one epoch. */
    async handle({ running }, { strategy, rate: base_rate, types, target_events_per_s }) {
      const { sampling } = running.config;
      const adaptive = {
        ...sampling.adaptive,
        ...(target_events_per_s && { target_events_per_s }),
      };
      const implied = sampling.strategy === "none" ? "uniform" : sampling.strategy;
      await running.reconfigure({
        ...running.config,
        sampling: {
          ...sampling,
          adaptive,
          strategy: strategy ?? implied,
          event_type_rates: { ...sampling.event_type_rates, ...types },
          ...(base_rate === undefined ? {} : { base_rate }),
        },
      });
      return shown(running);
    },
  }),
];
