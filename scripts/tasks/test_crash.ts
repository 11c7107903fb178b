/**
 * `npm run test:crash [-- KILLS [SEED]]`: a loaded process with the write-ahead log on the real disk, and then the whole
 * command with a log and a destination, are killed that many times each. Prints reports as JSON; exit 1
 * where a batch was lost or changed, or a run did not start.
 */
import { Xoshiro128 } from "#core/random/xoshiro128.ts";
import { crashLog } from "../../property-tests/crashes/log_crashes.ts";
import { crashRun } from "../../property-tests/crashes/run_crashes.ts";
import { runTask } from "../run_task.ts";

const KILLS_DEFAULT = 100;

await runTask(async () => {
  const kills = Number(process.argv[2] ?? KILLS_DEFAULT);
  const seed = Number(process.argv[3] ?? Date.now() % 2 ** 32);
  if (!Number.isInteger(kills) || kills < 1) throw new Error("test:crash: give a number of kills");
  const random = new Xoshiro128(seed);
  const policies = ["always", "group", "never"] as const;
  let failed = false;
  for (const [i, sync] of policies.entries()) {
    const share = Math.floor((kills + i) / policies.length);
    if (share === 0) continue;
    const report = await crashLog({ kills: share, sync, random: () => random.uniform() });
    console.log(JSON.stringify({ sync, seed, ...report }));
    failed ||= report.lost + report.wrong + report.refused_starts > 0;
  }
  const report = await crashRun({ kills, random: () => random.uniform() });
  console.log(JSON.stringify({ command: "run", seed, ...report }));
  const { gaps, lost_events, wrong, refused_starts, residual } = report;
  failed ||= gaps + lost_events + wrong + refused_starts + Math.abs(residual) > 0;
  return failed ? 1 : 0;
});
