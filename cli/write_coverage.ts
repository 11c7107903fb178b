/** `--coverage FILE`: coverage of BPF source lines in lcov's format. */
import { writeFileSync } from "node:fs";
import type { CoverageCollector } from "#wasm/coverage/collector.ts";
import { formatLcov } from "#wasm/coverage/lcov.ts";
import { fileError } from "./trace_file.ts";

/** Replaces the file. Throws `BpfError` where it cannot be written. */
export function writeCoverage(path: string, collector: CoverageCollector): void {
  try {
    writeFileSync(path, formatLcov(collector.read()));
  } catch (error) {
    throw fileError("write coverage", error);
  }
}
