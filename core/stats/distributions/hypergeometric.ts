/**
 * The hypergeometric distribution: marked items among `drawn` ones, taken without replacement from
 * a population of `population` items of which `marked` are marked.
 */

import { requireInteger } from "../check_argument.ts";
import type { TwoTails } from "../special/incomplete_beta.ts";
import { binomialMass } from "./binomial.ts";

function checkShape(operation: string, population: number, marked: number, drawn: number): void {
  requireInteger(operation, "population", population, 0);
  requireInteger(operation, "marked", marked, 0, population);
  requireInteger(operation, "drawn", drawn, 0, population);
}

/** P(X = k) for whole k inside the support: three binomial masses, whose probability cancels. */
function mass(k: number, population: number, marked: number, drawn: number): number {
  if (drawn === 0 || drawn === population) return 1;
  const p = drawn / population;
  const q = (population - drawn) / population;
  const of_marked = binomialMass(k, marked, p, q);
  const of_rest = binomialMass(drawn - k, population - marked, p, q);
  return of_marked * (of_rest / binomialMass(drawn, population, p, q));
}

/** P(X <= k) over P(X = k), for k below the mode: a sum of positive, shrinking terms. */
function sumDown(k: number, population: number, marked: number, drawn: number): number {
  const rest_not_drawn = population - marked - drawn;
  let term = 1;
  let sum = 1;
  for (let at = k; at > 0; at -= 1) {
    term *= (at / (marked - at + 1)) * ((rest_not_drawn + at) / (drawn - at + 1));
    const next = sum + term;
    if (next === sum) break;
    sum = next;
  }
  return sum;
}

function tails(k: number, population: number, marked: number, drawn: number): TwoTails {
  const least = Math.max(0, drawn + marked - population);
  const most = Math.min(drawn, marked);
  if (k < least) return { lower: 0, upper: 1 };
  if (k >= most) return { lower: 1, upper: 0 };
  if (k < drawn * (marked / population)) {
    const sum = sumDown(k, population, marked, drawn);
    const lower = Math.min(1, mass(k, population, marked, drawn) * sum);
    return { lower, upper: 1 - lower };
  }
  // P(X > k) is the lower tail of the unmarked items drawn.
  const unmarked = population - marked;
  const sum = sumDown(drawn - k - 1, population, unmarked, drawn);
  const upper = Math.min(1, mass(k + 1, population, marked, drawn) * sum);
  return { lower: 1 - upper, upper };
}

/** P(X = k). */
export function hypergeometricProbability(
  k: number,
  population: number,
  marked: number,
  drawn: number,
): number {
  checkShape("hypergeometricProbability", population, marked, drawn);
  const least = Math.max(0, drawn + marked - population);
  if (!Number.isInteger(k) || k < least || k > Math.min(drawn, marked)) return 0;
  return mass(k, population, marked, drawn);
}

/** P(X <= k). Time grows with the standard deviation, at most about the root of the population. */
export function hypergeometricCdf(
  k: number,
  population: number,
  marked: number,
  drawn: number,
): number {
  checkShape("hypergeometricCdf", population, marked, drawn);
  return tails(Math.floor(k), population, marked, drawn).lower;
}

/** P(X > k); see `hypergeometricCdf`. */
export function hypergeometricSurvival(
  k: number,
  population: number,
  marked: number,
  drawn: number,
): number {
  checkShape("hypergeometricSurvival", population, marked, drawn);
  return tails(Math.floor(k), population, marked, drawn).upper;
}
