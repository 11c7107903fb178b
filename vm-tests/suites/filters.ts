/** Filter tables on the guest's kernel judge as the evaluator does. */
import { describe, expect, test } from "vitest";
import type { Backend } from "#core/backend.ts";
import { checkPairs } from "#property-tests/filters/pairs.ts";

/** 40 rule sets with 256 events each. */
const RUNS = 40;
/** Fewer show nothing: most of their events may pass, or none. */
const RUNS_MIN = 10;

export function filterSuite(backend: () => Backend, runs: number): void {
  describe("filters", () => {
    test("tables judge as the evaluator does", async () => {
      const { pairs, passed } = await checkPairs("filter verdicts: kernel", backend(), {
        events: 256,
        remote: true,
        runs: runs > 0 ? Math.max(runs, RUNS_MIN) : RUNS,
      });
      console.log(JSON.stringify({ filter_pairs: pairs, passed }));
      expect(passed).toBeGreaterThan(pairs / 20);
      expect(passed).toBeLessThan(pairs * 0.95);
    });
  });
}
