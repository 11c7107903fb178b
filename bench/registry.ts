/** Every bench by name. */
import type { Bench } from "./bench.ts";
import { compressionBench } from "./compression.ts";
import { deliveryBench } from "./delivery.ts";
import { filtersBench } from "./filters.ts";
import { replayBench } from "./replay.ts";
import { ringbufBench } from "./ringbuf.ts";
import { samplingBench } from "./sampling.ts";
import { statsBench } from "./stats.ts";
import { vmBench } from "./vm.ts";
import { wakeupsBench } from "./wakeups.ts";

export const BENCHES: ReadonlyMap<string, Bench> = new Map([
  ["vm", vmBench],
  ["filters", filtersBench],
  ["replay", replayBench],
  ["ringbuf", ringbufBench],
  ["stats", statsBench],
  ["delivery", deliveryBench],
  ["wakeups", wakeupsBench],
  ["sampling", samplingBench],
  ["compression", compressionBench],
]);
