import { defineConfig } from "vitest/config";

/** One guest at a time: emulation takes all CPUs there are. */
export default defineConfig({
  test: {
    pool: "forks",
    fileParallelism: false,
    include: ["vm-tests/suites/**/*.test.ts"],
    globalSetup: ["property-tests/global_setup.ts"],
    setupFiles: ["property-tests/setup.ts"],
    testTimeout: 600_000,
    hookTimeout: 120_000,
  },
});
