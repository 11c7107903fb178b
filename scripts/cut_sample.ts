/**
 * Makes `samples/web-loss.trace` from the recording it is cut from:
 * `node scripts/cut_sample.ts web-loss.tsv.zst`. The window holds the end of a run of
 * redis-benchmark and wrk, then curl against refused, aborted and slow connections.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { traceCut } from "#cli/trace_cut.ts";
import { traceImport } from "#cli/trace_import.ts";

const FROM_S = 24.9;
const DURATION_S = 6.1;
const MAX_BYTES = 3_000_000;
const SAMPLE = fileURLToPath(new URL("../samples/web-loss.trace", import.meta.url));

const recording = process.argv[2];
if (recording === undefined) {
  console.error("usage: node scripts/cut_sample.ts RECORDING.tsv.zst");
  process.exit(2);
}
const scratch = mkdtempSync(join(tmpdir(), "cut-sample-"));
try {
  const whole = join(scratch, "whole.trace");
  await traceImport({ input: recording, output: whole, log: console.error });
  const window = { from_s: FROM_S, duration_s: DURATION_S, maxBytes: MAX_BYTES };
  console.log(await traceCut({ input: whole, output: SAMPLE, ...window }));
} finally {
  rmSync(scratch, { recursive: true });
}
