import { describe, expect, it } from "vitest";
import { Xoshiro128 } from "#core/random/xoshiro128.ts";
import { crashLog } from "./log_crashes.ts";

/** `npm run test:crash -- 1000` kills more often. */
const KILLS = 4;

describe("a process that is killed while it uses the log", () => {
  it.each(["always", "group", "never"] as const)(
    "loses no batch that was accepted (%s)",
    async (sync) => {
      const random = new Xoshiro128(20_261_127);
      const report = await crashLog({ kills: KILLS, sync, random: () => random.uniform() });
      expect(report).toMatchObject({ kills: KILLS, lost: 0, wrong: 0, refused_starts: 0 });
      expect(report.accepted).toBeGreaterThan(0);
    },
    120_000,
  );
});
