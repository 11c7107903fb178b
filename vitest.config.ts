import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    pool: "forks",
    include: ["test/**/*.test.ts", "property-tests/**/*.test.ts"],
    globalSetup: ["property-tests/global_setup.ts"],
    setupFiles: ["property-tests/setup.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
