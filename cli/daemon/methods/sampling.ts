/** Sampling of a run in progress. */
import { z } from "zod";
import { STRATEGIES } from "#core/sampling/sampling_config.ts";
import { samplingOf } from "../../run/parts/sampling.ts";
import { type ControlMethod, controlMethod } from "../method.ts";

const rate = z.number().min(0).max(1);

export const samplingMethods: readonly ControlMethod[] = [
  controlMethod({
    name: "sampling.show",
    params: z.strictObject({}).default({}),
    handle: ({ running }) => samplingOf(running).manager.getStatistics(),
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
      return samplingOf(running).manager.getStatistics();
    },
  }),
];
