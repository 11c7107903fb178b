/** What is said of an adaptive strategy, of timelines that were worked out by hand, and of real ones. */
import { describe, expect, it } from "vitest";
import { type Control, controlOf } from "#lab/control.ts";
import { experimentSchema } from "#lab/experiment.ts";
import type { Timeline } from "#lab/results.ts";
import { runExperiment } from "#lab/run_experiment.ts";
import { summarize } from "#lab/summarize.ts";

/** Twice the target for 2 s, then 20 times for 2 s; the rate follows one interval late. */
const STEP: Timeline = {
  interval_s: 0.5,
  target_events_per_s: 100,
  changes_s: [0, 2],
  loads_per_s: [200, 200, 200, 200, 2000, 2000, 2000, 2000],
  offered: [100, 100, 100, 100, 1000, 1000, 1000, 1000],
  rates: [1, 0.5, 0.5, 0.5, 0.5, 0.06, 0.05, 0.05],
  truths: [100, 100, 100, 100, 1000, 1000, 1000, 1000],
  replications: [
    {
      index: 0,
      kept: [100, 50, 50, 50, 500, 60, 48, 50],
      totals: [100, 102, 98, 100, 1000, 1000, 1000, 1000],
    },
    {
      index: 1,
      kept: [100, 50, 50, 50, 500, 60, 50, 56],
      totals: [100, 98, 102, 100, 1000, 1000, 1010, 1000],
    },
  ],
};

describe("control", () => {
  const control = controlOf(STEP)!;

  it("settles when the rate is right for good", () => {
    // Right from 0.5 s in the first phase; in the second from the third interval on.
    expect(control.settling_s).toBe(1);
    const hasty = { ...STEP, rates: STEP.rates.with(7, 0.06) };
    expect(controlOf(hasty)!.settling_s).toBeNull();
  });

  it("counts what is kept too much, in seconds of the target", () => {
    // (2000 × 0.5 - 100) × 0.5 s and (2000 × 0.06 - 100) × 0.5 s of 100/s.
    expect(control.excess_s).toBeCloseTo(4.5 + 0.1, 12);
    expect(control.kept_ratio).toBeCloseTo((908 + 916) / 2 / 400, 12);
  });

  it("looks at windows of a second that are settled altogether", () => {
    // One window of the first phase (100), one of the second (98 and 106) in each replication.
    expect(control.steady_rms).toBeCloseTo(Math.sqrt((0.02 ** 2 + 0.06 ** 2) / 4), 12);
    expect(control.noise_rms).toBeCloseTo(Math.sqrt((0.5 / 100 + 0.95 / 100) / 2), 12);
  });

  it("finds the interval with the largest bias", () => {
    // Errors 0 and 10: mean 5 with a standard error of 5.
    expect(control.bias_z_max).toBeCloseTo(1, 12);
    const biased = STEP.replications.map((each) => ({ ...each, totals: each.totals.with(3, 150) }));
    biased[0]!.totals[3] = 151;
    expect(controlOf({ ...STEP, replications: biased })!.bias_z_max).toBeCloseTo(50.5 / 0.5, 9);
  });

  it("says nothing of nothing", () => {
    expect(controlOf({ ...STEP, replications: [] })).toBeUndefined();
  });
});

describe("the adaptive strategy", () => {
  const adaptive = async (phases: readonly object[], repeat = 1): Promise<Control> => {
    const experiment = experimentSchema.parse({
      name: "adaptive",
      replications: 12,
      workloads: [{ name: "load", kind: "lognormal", sigma: 0.5, load: { phases, repeat } }],
      strategies: [
        { name: "100 ms", kind: "adaptive", target_events_per_s: 2000, interval_ms: 100 },
      ],
    });
    const options = { seed: 4, shard: { index: 0, count: 1 }, recordings: new Map() };
    const [cell] = summarize(await runExperiment(experiment, options)).cells;
    return cell!.control!;
  };

  it("meets its target soon after a step of x10 and one of x0.1, without bias", async () => {
    const load = (events_per_s: number) => ({ seconds: 2, events_per_s });
    const control = await adaptive([load(4000), load(40_000), load(4000)]);
    expect(control.settling_s).toBeLessThanOrEqual(1);
    expect(control.excess_s).toBeLessThan(1.2);
    expect(control.steady_rms).toBeLessThan(2.5 * control.noise_rms!);
    // 60 intervals, 12 replications: Student's t with 11 degrees of freedom is below 8 but once in 2,000 runs.
    expect(control.bias_z_max).toBeLessThan(8);
  });

  it("does not settle where the load changes with every look at it", async () => {
    const control = await adaptive(
      [
        { seconds: 0.1, events_per_s: 4000 },
        { seconds: 0.1, events_per_s: 12_000 },
      ],
      10,
    );
    expect(control.settling_s).toBeNull();
    expect(control.kept_ratio).toBeGreaterThan(1.05);
  });
});
