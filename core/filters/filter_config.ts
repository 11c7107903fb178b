/** The section `filters` of the configuration. */
import { z } from "zod";
import { FILTER_TYPES, type FilterType, filterRuleSchema } from "./rule.ts";

/** Rules of one type that fit where nothing else is said. */
export const CAPACITY_DEFAULT = 4096;
/** More would take more memory than a collector is worth. */
export const CAPACITY_MAX = 1_000_000;

/** Tables that are sized on their own. Network rules of the two families lie in different ones. */
export const CAPACITY_NAMES = [
  "pid",
  "namespace",
  "network4",
  "network6",
  "cgroup",
  "uid",
  "command",
] as const;
export type CapacityName = (typeof CAPACITY_NAMES)[number];

/** Rules of each table that fit, shadow rules included. */
export type Capacities = Readonly<Record<CapacityName, number>>;

function capacity(what: string) {
  return z
    .number()
    .int()
    .min(0)
    .max(CAPACITY_MAX)
    .optional()
    .describe(`${what}; default ${CAPACITY_DEFAULT}, or twice what the run starts with.`);
}

const capacitySchema = z
  .strictObject({
    pid: capacity("PID rules"),
    namespace: capacity("Namespace rules, all kinds together"),
    network4: capacity("Network rules with an IPv4 address"),
    network6: capacity("Network rules with an IPv6 address"),
    cgroup: capacity("Cgroup rules"),
    uid: capacity("UID rules"),
    command: capacity("Command rules"),
  } satisfies Record<CapacityName, z.ZodType>)
  .describe("Rules that fit, shadow rules included. Fixed while the run lasts.");

export const filterConfigSchema = z
  .strictObject({
    mode: z
      .enum(["allow", "deny"])
      .default("allow")
      .describe("What becomes of an event that no allow and no deny rule matches."),
    types: z
      .array(z.enum(FILTER_TYPES as unknown as [FilterType]))
      .default([...FILTER_TYPES])
      .describe("Types whose rules are looked at; rules of others stay, without effect."),
    capacity: capacitySchema.default({}),
    rules: z.array(filterRuleSchema).default([]).describe("Allow and deny rules, in any order."),
  })
  .describe("Rules that events must pass; replaced as a whole when the file changes.");

export type FilterConfig = z.output<typeof filterConfigSchema>;
