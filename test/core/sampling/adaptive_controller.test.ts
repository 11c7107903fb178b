/** The controller against loads that it cannot know in advance, with Poisson counts. */
import { describe, expect, it } from "vitest";
import { Xoshiro128 } from "#core/random/xoshiro128.ts";
import { AdaptiveController } from "#core/sampling/adaptive_controller.ts";

const TARGET = 10_000;
const INTERVAL_S = 0.25;
const SETTINGS = { target_events_per_s: TARGET, min_rate: 0.0001, max_rate: 1 };

/** Poisson by its normal limit; the means here are far above 100. */
function poisson(random: Xoshiro128, mean: number): number {
  const radius = Math.sqrt(-2 * Math.log(random.uniform()));
  return Math.max(
    0,
    Math.round(mean + Math.sqrt(mean) * radius * Math.cos(2 * Math.PI * random.uniform())),
  );
}

interface Outcome {
  /** Expected number of kept events by interval, in events a second. */
  readonly kept_per_s: number[];
  /** Σ 1/π of kept events, and what was offered, over the whole run. */
  readonly estimate: number;
  readonly offered: number;
}

/** `load` in events a second at each interval, of one type. */
function drive(load: readonly number[], seed = 1): Outcome {
  const random = new Xoshiro128(seed);
  const controller = new AdaptiveController(SETTINGS);
  const kept_per_s: number[] = [];
  let [estimate, offered] = [0, 0];
  for (const each of load) {
    const rate = controller.rateOf(1);
    const count = each === 0 ? 0 : poisson(random, each * INTERVAL_S);
    kept_per_s.push((rate * count) / INTERVAL_S);
    // Kept of `count` at `rate`, each standing for 1/rate.
    const kept = Math.min(count, poisson(random, rate * count));
    estimate += rate === 1 ? count : kept / rate;
    offered += count;
    controller.update(new Map([[1, count]]), INTERVAL_S);
  }
  return { kept_per_s, estimate, offered };
}

const repeat = (load: number, intervals: number): number[] => new Array(intervals).fill(load);
const near = (value: number, share: number): boolean => Math.abs(value / TARGET - 1) <= share;

describe("the adaptive controller", () => {
  it.each([10, 0.1])(
    "is within 5 % of the target a second after the load changed ×%f",
    (factor) => {
      const before = 200_000;
      const { kept_per_s } = drive([...repeat(before, 40), ...repeat(before * factor, 40)]);
      for (const kept of kept_per_s.slice(44)) expect(near(kept, 0.05)).toBe(true);
    },
  );

  it("holds the target within 1.5 % RMS while nothing changes", () => {
    const { kept_per_s } = drive(repeat(300_000, 400));
    const steady = kept_per_s.slice(20);
    const square = steady.reduce((sum, kept) => sum + (kept / TARGET - 1) ** 2, 0);
    expect(Math.sqrt(square / steady.length)).toBeLessThanOrEqual(0.015);
  });

  it("keeps everything where less than the target is offered", () => {
    const { kept_per_s, offered } = drive(repeat(4000, 20));
    expect(kept_per_s.reduce((sum, kept) => sum + kept * INTERVAL_S, 0)).toBe(offered);
  });

  it("follows a square wave, and a burst after silence, without swinging", () => {
    const wave = Array.from({ length: 160 }, (_, i) => (i % 20 < 10 ? 50_000 : 400_000));
    const { kept_per_s } = drive(wave);
    // In every half wave the last intervals are on target again.
    kept_per_s.forEach((kept, i) => {
      if (i > 20 && i % 10 >= 4) expect(near(kept, 0.05)).toBe(true);
    });
    const burst = drive([...repeat(100_000, 20), ...repeat(0, 40), ...repeat(100_000, 20)]);
    for (const kept of burst.kept_per_s.slice(64)) expect(near(kept, 0.05)).toBe(true);
  });

  it("leaves totals unbiased, whatever the load does", () => {
    let z = 0;
    const RUNS = 200;
    for (let seed = 0; seed < RUNS; seed++) {
      const load = [...repeat(50_000, 10), ...repeat(500_000, 10), ...repeat(20_000, 10)];
      const { estimate, offered } = drive(load, seed);
      z += (estimate - offered) / offered;
    }
    // The relative error of one run is below 0.5 %; of the mean of 200 runs a fourteenth of that.
    expect(Math.abs(z / RUNS)).toBeLessThan(0.002);
  });

  it("gives what one type does not need to the others, and holds floors", () => {
    const controller = new AdaptiveController(SETTINGS, new Map([[2, 0.5]]));
    controller.update(
      new Map([
        [1, 100_000],
        [2, 4000],
        [3, 10],
      ]),
      1,
    );
    expect(controller.rateOf(2)).toBe(0.5);
    const common = controller.rateOf(1);
    expect(controller.rateOf(3)).toBe(common);
    expect(100_000 * common + 4000 * 0.5 + 10 * common).toBeCloseTo(TARGET, 6);
  });

  it("never rates a type at 0, and does not divide by silence", () => {
    const controller = new AdaptiveController(SETTINGS);
    controller.update(new Map([[1, 0]]), 1);
    expect(controller.rateOf(1)).toBe(1);
    controller.update(new Map([[1, 1e12]]), 1);
    expect(controller.rateOf(1)).toBe(SETTINGS.min_rate);
    controller.update(new Map([[1, 5]]), 0);
    expect(controller.rateOf(1)).toBe(SETTINGS.min_rate);
  });
});
