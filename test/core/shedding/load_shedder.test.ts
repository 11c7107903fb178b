/** The shedder's first looks; its law under load is a property of property-tests/shedding. */
import { expect, it } from "vitest";
import { LoadShedder } from "#core/shedding/load_shedder.ts";

it("one that begins in the middle of a run counts from there", () => {
  const late = new LoadShedder({ min_multiplier: 0.01, target_ms: 50 });
  const early = new LoadShedder({ min_multiplier: 0.01, target_ms: 50 });
  const before = 100_000_000;
  for (let look = 0; look <= 60; look++) {
    // A line stands, and the sink takes 95 % of what comes.
    const pressure = { received: 1000 * look, settled: 950 * look, line_ms: 500, fill: 0 };
    const inRun = { ...pressure, received: before + 1000 * look, settled: before + 950 * look };
    expect(late.update(inRun, 100)).toBeCloseTo(early.update(pressure, 100), 12);
  }
  expect(late.multiplier).toBeGreaterThan(0.1);
});
