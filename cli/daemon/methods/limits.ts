/** Rate limits of a run in progress. */
import { z } from "zod";
import { RATE_LIMIT_KEYS, rateLimitConfigSchema } from "#core/rate_limits/rate_limit_config.ts";
import { type ControlMethod, controlMethod } from "../method.ts";

const NONE = z.strictObject({}).default({});

export const limitMethods: readonly ControlMethod[] = [
  controlMethod({
    name: "limit.show",
    params: NONE,
    handle: ({ running }) => running.config.rate_limits,
  }),
  controlMethod({
    name: "limit.set",
    /** Limits that are named are replaced, the others stay. */
    params: rateLimitConfigSchema,
    async handle({ running }, limits) {
      const rate_limits = { ...running.config.rate_limits, ...limits };
      await running.reconfigure({ ...running.config, rate_limits });
      return running.config.rate_limits;
    },
  }),
  controlMethod({
    name: "limit.clear",
    params: z.strictObject({ keys: z.array(z.enum(RATE_LIMIT_KEYS)).optional() }).prefault({}),
    /** Those that are named, or all. */
    async handle({ running }, { keys = [...RATE_LIMIT_KEYS] }) {
      const rate_limits = { ...running.config.rate_limits };
      for (const key of keys) delete rate_limits[key];
      await running.reconfigure({ ...running.config, rate_limits });
      return running.config.rate_limits;
    },
  }),
];
