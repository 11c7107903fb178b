/** Benchmarks compile their BPF sources when they run, on a kernel; here it shows that they fit the collectors. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, it } from "vitest";
import { compileObject } from "../../scripts/build_bpf.ts";

const folder = mkdtempSync(join(tmpdir(), "tapio-bench-sources-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** With what benchmarks compile them: a decision, or the counting, left out. */
const BUILDS: readonly (readonly [source: string, flags: readonly string[]])[] = [
  ["collector_loop.bpf.c", []],
  ["collector_loop.bpf.c", ["-DSAMPLING_FIXED"]],
  ["collector_loop.bpf.c", ["-DSTATISTICS_OFF"]],
  ["filters.bpf.c", []],
  ["filters.bpf.c", ["-DFILTER_SUBJECT_GIVEN"]],
];

it.each(BUILDS)("%s compiles with %j", (source, flags) => {
  compileObject(join("bench", source), join(folder, `${source}.o`), flags);
});
