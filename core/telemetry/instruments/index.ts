/** Every instrument there is. */
import type { Instrument } from "../instrument.ts";
import { BATCHING } from "./batching.ts";
import { ESTIMATES, LATENCY_ESTIMATES } from "./estimates.ts";
import { FILTERS } from "./filters.ts";
import { RATE_LIMITS } from "./rate_limits.ts";
import { SAMPLING } from "./sampling.ts";
import { STATISTICS } from "./statistics.ts";

export const INSTRUMENTS: readonly Instrument[] = [
  ...Object.values(ESTIMATES),
  ...Object.values(LATENCY_ESTIMATES),
  ...Object.values(BATCHING),
  ...Object.values(STATISTICS),
  ...Object.values(FILTERS),
  ...Object.values(SAMPLING),
  ...Object.values(RATE_LIMITS),
];
