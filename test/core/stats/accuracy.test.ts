import { describe, expect, it } from "vitest";
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
});
