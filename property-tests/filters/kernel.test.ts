/** Filters on the kernel that runs here. */
import { expect, test } from "vitest";
import { describeNative, withBackend } from "../../test/kernel/native.ts";
import { checkPairs } from "./pairs.ts";

describeNative("filters", () => {
  test("tables judge as the evaluator does", { timeout: 7_200_000 }, async () => {
    await withBackend(async (backend) => {
      const { pairs, passed } = await checkPairs("filter verdicts: kernel", backend, {
        events: 256,
      });
      console.log(JSON.stringify({ pairs, passed }));
      expect(passed).toBeGreaterThan(pairs / 20);
      expect(passed).toBeLessThan(pairs * 0.95);
    });
  });
});
