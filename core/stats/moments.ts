/** Mean, variance and standard error of a stream, mergeable, in constant memory. */

import { BpfError, ERRNO } from "#core/errors.ts";
import { requireBetween } from "./check_argument.ts";

/**
 * The variance factor 1 - n/N of a sample without replacement: 0 when everything was seen.
 * `population` may be Infinity (no correction).
 */
export function finitePopulationCorrection(sampled: number, population: number): number {
  requireBetween("finitePopulationCorrection", "sampled", sampled, 0, population);
  return population === 0 ? 0 : 1 - sampled / population;
}

/**
 * Weighted mean and variance by Welford's update, merged by Chan's. Without weights it is the
 * plain sample mean and variance. Nothing is allocated per value.
 */
export class Moments {
  #count = 0;
  #weight = 0;
  #weight_squares = 0;
  #mean = 0;
  /** Sum of w (y - mean)². */
  #squares = 0;

  /** Adds a value. Throws BpfError EINVAL unless it is finite and its weight finite and above 0. */
  add(value: number, weight: number = 1): void {
    if (!Number.isFinite(value) || !(weight > 0) || weight === Number.POSITIVE_INFINITY) {
      throw new BpfError("add to moments", `value ${value} with weight ${weight}`, {
        errno: ERRNO.EINVAL,
        hint: "give a finite value and a finite weight above 0",
      });
    }
    const delta = value - this.#mean;
    this.#count += 1;
    this.#weight += weight;
    this.#weight_squares += weight * weight;
    this.#mean += (delta * weight) / this.#weight;
    this.#squares += weight * delta * (value - this.#mean);
  }

  /** Adds what `other` has seen; `other` keeps its own. */
  merge(other: Moments): void {
    if (other.#count === 0) return;
    const total = this.#weight + other.#weight;
    const delta = other.#mean - this.#mean;
    this.#squares += other.#squares + delta * delta * this.#weight * (other.#weight / total);
    this.#mean += (delta * other.#weight) / total;
    this.#count += other.#count;
    this.#weight_squares += other.#weight_squares;
    this.#weight = total;
  }

  /** Values added. */
  get count(): number {
    return this.#count;
  }

  /** Sum of weights; the estimated population size for weights 1/π. */
  get weight(): number {
    return this.#weight;
  }

  /** Weighted mean; NaN before the first value. */
  get mean(): number {
    return this.#count === 0 ? Number.NaN : this.#mean;
  }

  /** Kish's effective sample size, (Σw)² / Σw²: `count` for equal weights, 0 when empty. */
  get effectiveCount(): number {
    return this.#count === 0 ? 0 : this.#weight * (this.#weight / this.#weight_squares);
  }

  /** Kish's design effect: count / effectiveCount; NaN when empty. */
  get designEffect(): number {
    return this.#count / this.effectiveCount;
  }

  /** Σw(y - mean)² / Σw: the variance of the values themselves, as if they were everything. */
  get populationVariance(): number {
    return this.#squares / this.#weight;
  }

  /**
   * Unbiased variance: denominator Σw - Σw²/Σw, which is n - 1 for weights of 1. NaN below two
   * values.
   */
  get variance(): number {
    if (this.#count < 2) return Number.NaN;
    return this.#squares / (this.#weight - this.#weight_squares / this.#weight);
  }

  /**
   * Standard error of the mean, √(variance / effectiveCount), times the finite population
   * correction when the sample was drawn without replacement from `population` values. With
   * unequal weights it is Kish's approximation, right when weights and values are unrelated.
   */
  standardError(population: number = Number.POSITIVE_INFINITY): number {
    if (population === this.#count && this.#count > 0) return 0;
    const correction = finitePopulationCorrection(this.#count, population);
    return Math.sqrt((this.variance / this.effectiveCount) * correction);
  }
}
