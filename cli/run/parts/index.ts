/** The capabilities of every run, in the order in which they take a new configuration. */
import { batchingPart } from "./batching.ts";
import { estimatesPart } from "./estimates.ts";
import { filtersPart } from "./filters.ts";
import { namedFiltersPart } from "./named_filters.ts";
import type { RunPartKind } from "./part.ts";
import { rateLimitsPart } from "./rate_limits.ts";
import { reservoirsPart } from "./reservoirs.ts";
import { ringsPart } from "./rings.ts";
import { samplingPart } from "./sampling.ts";
import { sheddingPart } from "./shedding.ts";
import { telemetryPart } from "./telemetry.ts";

export const PART_KINDS: readonly RunPartKind[] = [
  filtersPart,
  namedFiltersPart,
  ringsPart,
  rateLimitsPart,
  samplingPart,
  batchingPart,
  sheddingPart,
  estimatesPart,
  reservoirsPart,
  telemetryPart,
];
