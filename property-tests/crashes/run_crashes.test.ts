import { expect, it } from "vitest";
import { Xoshiro128 } from "#core/random/xoshiro128.ts";
import { crashRun } from "./run_crashes.ts";

/** `npm run test:crash -- 1000` kills more often. */
const KILLS = 6;

it("a run that is killed at any moment loses no batch that its log had, and starts again", async () => {
  const random = new Xoshiro128(20_261_127);
  const report = await crashRun({ kills: KILLS, random: () => random.uniform() });
  expect(report).toMatchObject({
    kills: KILLS,
    ...{ gaps: 0, lost_events: 0, wrong: 0, refused_starts: 0, residual: 0 },
  });
  expect(report.batches).toBeGreaterThan(0);
}, 240_000);
