import { describe, expect, it } from "vitest";
import { BpfError } from "#core/errors.ts";
import { agrestiCoullInterval } from "#core/stats/intervals/agresti_coull.ts";
import { anytimeInterval } from "#core/stats/intervals/anytime.ts";
import { chooseProportionInterval } from "#core/stats/intervals/choose.ts";
import { clopperPearsonInterval } from "#core/stats/intervals/clopper_pearson.ts";
import { hypergeometricInterval } from "#core/stats/intervals/hypergeometric.ts";
import { jeffreysInterval } from "#core/stats/intervals/jeffreys.ts";
import { kornGraubardInterval } from "#core/stats/intervals/korn_graubard.ts";
import { meanInterval } from "#core/stats/intervals/mean.ts";
import { waldInterval } from "#core/stats/intervals/wald.ts";
import { wilsonInterval } from "#core/stats/intervals/wilson.ts";

const METHODS = [
  waldInterval,
  wilsonInterval,
  agrestiCoullInterval,
  jeffreysInterval,
  clopperPearsonInterval,
  anytimeInterval,
];

describe("published values at 0.95", () => {
  const cases = [
    [wilsonInterval, 10, 100, 0.0552291, 0.1743657],
    [clopperPearsonInterval, 10, 100, 0.0490047, 0.1762226],
    [clopperPearsonInterval, 0, 50, 0, 0.0711217],
    [agrestiCoullInterval, 10, 100, 0.0534848, 0.1761101],
  ] as const;
  for (const [method, successes, trials, lower, upper] of cases) {
    it(`${method.name} of ${successes} in ${trials}`, () => {
      const interval = method(successes, trials, 0.95);
      expect(Math.abs(interval.lower - lower)).toBeLessThan(1e-7);
      expect(Math.abs(interval.upper - upper)).toBeLessThan(1e-7);
    });
  }
});

describe("every interval of a proportion", () => {
  for (const method of METHODS) {
    it(`${method.name} contains the estimate, grows with confidence and mirrors failures`, () => {
      for (const [x, n] of [
        [0, 1],
        [1, 1],
        [3, 7],
        [50, 100],
        [1, 1e6],
        [999_990, 1e6],
      ] as const) {
        let width = 0;
        for (const confidence of [0.01, 0.5, 0.95, 0.999, 1 - 1e-9]) {
          const { estimate, lower, upper } = method(x, n, confidence);
          expect(estimate).toBe(x / n);
          expect(0 <= lower && lower <= upper && upper <= 1).toBe(true);
          if (method !== agrestiCoullInterval && method !== jeffreysInterval) {
            expect(lower <= estimate && estimate <= upper).toBe(true);
          }
          expect(upper - lower).toBeGreaterThanOrEqual(width);
          width = upper - lower;
          const mirrored = method(n - x, n, confidence);
          expect(mirrored.lower).toBeCloseTo(1 - upper, 12);
          expect(mirrored.upper).toBeCloseTo(1 - lower, 12);
        }
      }
    });

    it(`${method.name} refuses what is no sample or no confidence`, () => {
      const refused = [
        [1, 0, 0.95],
        [0, 0, 0.95],
        [-1, 10, 0.95],
        [11, 10, 0.95],
        [Number.NaN, 10, 0.95],
        [1, Number.NaN, 0.95],
        [1, Number.POSITIVE_INFINITY, 0.95],
        [1, 10, 0],
        [1, 10, 1],
        [1, 10, 95],
        [1, 10, Number.NaN],
      ] as const;
      for (const [x, n, confidence] of refused) {
        expect(() => method(x, n, confidence), `${x} in ${n} at ${confidence}`).toThrow(BpfError);
      }
    });
  }

  it("keeps the digits of Wilson's lower end next to 0", () => {
    // x² / (n (x + z²/2 + z √(x (n - x) / n + z²/4))) for x = 1, n = 1e12, from mpmath.
    expect(wilsonInterval(1, 1e12, 0.95).lower / 1.765245549351747e-13).toBeCloseTo(1, 13);
  });
});

describe("chooseProportionInterval", () => {
  it("takes Clopper-Pearson below 10 on either side, Wilson from 10 on", () => {
    expect(chooseProportionInterval({ successes: 9, trials: 100 }).method).toBe("clopper_pearson");
    expect(chooseProportionInterval({ successes: 10, trials: 100 }).method).toBe("wilson");
    expect(chooseProportionInterval({ successes: 90, trials: 100 }).method).toBe("wilson");
    expect(chooseProportionInterval({ successes: 91, trials: 100 }).method).toBe("clopper_pearson");
  });

  it("defaults to 0.95 and passes any other level on", () => {
    const sample = { successes: 40, trials: 100 };
    expect(chooseProportionInterval(sample)).toMatchObject(wilsonInterval(40, 100, 0.95));
    expect(chooseProportionInterval({ ...sample, confidence: 0.8 })).toMatchObject(
      wilsonInterval(40, 100, 0.8),
    );
  });

  it("takes the population where it is known, and is a point once all of it was seen", () => {
    const whole = { successes: 30, trials: 100, population: 100 };
    expect(chooseProportionInterval(whole)).toEqual({
      method: "hypergeometric",
      estimate: 0.3,
      lower: 0.3,
      upper: 0.3,
    });
  });

  it("is narrower the more of the population was seen", () => {
    let width = 1;
    for (const population of [1e6, 1000, 400, 150, 110]) {
      const { lower, upper } = chooseProportionInterval({ successes: 30, trials: 100, population });
      expect(upper - lower).toBeLessThan(width);
      width = upper - lower;
    }
  });

  it("refuses more trials than population and fractions of events", () => {
    const refused = [
      { successes: 1, trials: 11, population: 10 },
      { successes: 1.5, trials: 5, population: 10 },
      { successes: 1, trials: 5, population: 10.5 },
    ];
    for (const sample of refused) expect(() => chooseProportionInterval(sample)).toThrow(BpfError);
  });
});

describe("kornGraubardInterval", () => {
  it("is Clopper-Pearson for the binomial variance", () => {
    const exact = clopperPearsonInterval(10, 100, 0.95);
    const interval = kornGraubardInterval(0.1, (0.1 * 0.9) / 100, 100, 0.95);
    expect(interval.lower).toBeCloseTo(exact.lower, 12);
    expect(interval.upper).toBeCloseTo(exact.upper, 12);
  });

  it("widens with the design effect and never claims more than was sampled", () => {
    const plain = kornGraubardInterval(0.1, 0.0009, 100, 0.95);
    const clustered = kornGraubardInterval(0.1, 0.0018, 100, 0.95);
    expect(clustered.upper).toBeGreaterThan(plain.upper);
    expect(clustered.upper).toBeCloseTo(clopperPearsonInterval(5, 50, 0.95).upper, 12);
    expect(kornGraubardInterval(0.1, 0.0001, 100, 0.95)).toEqual(plain);
    expect(kornGraubardInterval(0, 0, 50, 0.95).upper).toBeCloseTo(0.0711217, 7);
  });

  it("refuses a variance below 0", () => {
    expect(() => kornGraubardInterval(0.1, -1, 100, 0.95)).toThrow(BpfError);
  });
});

describe("anytimeInterval", () => {
  it("ends where the mixture's likelihood ratio is 1/α", () => {
    // From x = 0: B(1, n + 1) / (1 - p)^n = 20 with n = 9, so 1 - p = (1 / 200)^(1 / 9).
    const none = anytimeInterval(0, 9, 0.95);
    expect(none.lower).toBe(0);
    expect(none.upper).toBeCloseTo(1 - (1 / 200) ** (1 / 9), 13);
  });

  it("is about twice as wide as Wilson's", () => {
    const anytime = anytimeInterval(1000, 10_000, 0.95);
    const once = wilsonInterval(1000, 10_000, 0.95);
    const ratio = (anytime.upper - anytime.lower) / (once.upper - once.lower);
    expect(ratio).toBeGreaterThan(1.5);
    expect(ratio).toBeLessThan(2.5);
  });
});

describe("meanInterval", () => {
  it("uses Student's quantile of the degrees given", () => {
    const { lower, upper } = meanInterval(10, 2, 4, 0.95);
    expect(upper - 10).toBeCloseTo(2 * 2.7764451051977987, 12);
    expect(10 - lower).toBeCloseTo(upper - 10, 12);
  });

  it("is a point without spread and refuses a standard error that is not a number", () => {
    expect(meanInterval(3, 0, 1, 0.95)).toEqual({ estimate: 3, lower: 3, upper: 3 });
    expect(() => meanInterval(3, Number.NaN, 1, 0.95)).toThrow(BpfError);
    expect(() => meanInterval(3, 1, 0, 0.95)).toThrow(BpfError);
  });
});

describe("hypergeometricInterval", () => {
  it("knows all of a population of 1 after one draw", () => {
    expect(hypergeometricInterval(1, 1, 1, 0.95)).toEqual({ estimate: 1, lower: 1, upper: 1 });
  });

  it("holds what was seen and what was not drawn", () => {
    const { lower, upper } = hypergeometricInterval(0, 10, 1000, 0.95);
    expect(lower).toBe(0);
    expect(upper * 1000).toBeCloseTo(Math.round(upper * 1000), 9);
    expect(upper).toBeLessThan(clopperPearsonInterval(0, 10, 0.95).upper);
  });
});
