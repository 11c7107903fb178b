/** The capabilities of every run, in the order in which they take a new configuration. */
import { filtersPart } from "./filters.ts";
import type { RunPartKind } from "./part.ts";
import { ringsPart } from "./rings.ts";
import { samplingPart } from "./sampling.ts";
import { telemetryPart } from "./telemetry.ts";

export const PART_KINDS: readonly RunPartKind[] = [
  filtersPart,
  ringsPart,
  samplingPart,
  telemetryPart,
];
