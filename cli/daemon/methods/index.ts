/** Everything a client may ask. */
import type { ControlMethod } from "../method.ts";
import { configMethods } from "./config.ts";
import { filterMethods } from "./filters.ts";
import { limitMethods } from "./limits.ts";
import { runMethods } from "./run.ts";
import { samplingMethods } from "./sampling.ts";
import { statsMethods } from "./stats.ts";

export const CONTROL_METHODS: ReadonlyMap<string, ControlMethod> = new Map(
  [
    ...runMethods,
    ...configMethods,
    ...statsMethods,
    ...samplingMethods,
    ...limitMethods,
    ...filterMethods,
  ].map((method) => [method.name, method]),
);
