import { describe, expect, it } from "vitest";
import {
  betaCdf,
  betaQuantile,
  betaSurvival,
  betaUpperQuantile,
} from "#core/stats/distributions/beta.ts";
import { binomialCdf, binomialSurvival } from "#core/stats/distributions/binomial.ts";
import {
  chiSquareCdf,
  chiSquareQuantile,
  chiSquareSurvival,
} from "#core/stats/distributions/chi_square.ts";
import {
  hypergeometricCdf,
  hypergeometricSurvival,
} from "#core/stats/distributions/hypergeometric.ts";
import { normalCdf, normalQuantile } from "#core/stats/distributions/normal.ts";
import { studentTCdf, studentTQuantile } from "#core/stats/distributions/student_t.ts";
import { erf, erfc } from "#core/stats/special/error_function.ts";
import { logBeta } from "#core/stats/special/log_beta.ts";
import { logGamma } from "#core/stats/special/log_gamma.ts";
import { referencePoints, worstPoint } from "./reference_table.ts";

const BOUND = 1e-12;

type Row = readonly [table: string, (...args: number[]) => number];

const FUNCTIONS: readonly Row[] = [
  ["special", logGamma],
  ["special", logBeta],
  ["special", erf],
  ["special", erfc],
  ["normal", normalQuantile],
  ["normal", normalCdf],
  ["student_t", studentTQuantile],
  ["student_t", studentTCdf],
  ["beta", betaQuantile],
  ["beta", betaCdf],
  ["beta", betaSurvival],
  ["binomial", binomialCdf],
  ["binomial", binomialSurvival],
  ["hypergeometric", hypergeometricCdf],
  ["hypergeometric", hypergeometricSurvival],
  ["chi_square", chiSquareQuantile],
  ["chi_square", chiSquareCdf],
  ["chi_square", chiSquareSurvival],
];

describe("distributions against the reference table", () => {
  for (const [table, evaluate] of FUNCTIONS) {
    it(`${evaluate.name} is within ${BOUND} of every point`, () => {
      const worst = worstPoint(referencePoints(table, evaluate.name), evaluate);
      expect(worst.relative_error, `at ${JSON.stringify(worst.point)}`).toBeLessThanOrEqual(BOUND);
    });
  }

  it("has at least 680 quantiles and tails down to 1e-300 among its points", () => {
    const quantiles = FUNCTIONS.filter(([, f]) => f.name.endsWith("Quantile"));
    const points = quantiles.flatMap(([table, f]) => referencePoints(table, f.name));
    expect(points.length).toBeGreaterThanOrEqual(680);
    expect(points.filter(([p]) => p! <= 1e-300).length).toBeGreaterThanOrEqual(30);
    expect(referencePoints("beta", "betaQuantile").some(([, a, b]) => a === 1 && b === 1e7)).toBe(
      true,
    );
  });
});

describe("quantiles of the upper tail", () => {
  it("meets 1e-300 above the median as exactly as below it", () => {
    for (const [, a, b, x] of referencePoints("beta", "betaQuantile").filter(
      ([p]) => p === 1e-300,
    )) {
      const mirrored = 1 - betaUpperQuantile(1e-300, b!, a!);
      expect(Math.abs(mirrored - x!)).toBeLessThanOrEqual(1e-15);
    }
  });
});
