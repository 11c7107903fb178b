import { defineConfig } from "vitest/config";

/** Nightly budgets take minutes to hours. */
const patient =
  process.env["TAPIO_BUDGET"] === "nightly" || process.env["TAPIO_RUNS"] !== undefined;

/** A folder: where coverage of the BPF sources goes. */
const covers = process.env["TAPIO_COVERAGE"] !== undefined;

export default defineConfig({
  test: {
    pool: "forks",
    include: ["test/**/*.test.ts", "property-tests/**/*.test.ts"],
    globalSetup: [
      "property-tests/global_setup.ts",
      ...(covers ? ["property-tests/coverage/merge.ts"] : []),
    ],
    setupFiles: [
      "property-tests/setup.ts",
      ...(covers ? ["property-tests/coverage/count_bpf.ts"] : []),
    ],
    testTimeout: patient ? 4 * 3_600_000 : 120_000,
    hookTimeout: 120_000,
  },
});
