/**
 * Totals of events that were kept independently, each with its own probability (Poisson sampling): the
 * Horvitz-Thompson estimator Σ y/π, with the variance estimator Σ (1 - π) y²/π². Both are unbiased whatever the
 * probabilities do, as long as each was fixed before its event's coin was thrown (Särndal, Swensson, Wretman 1992).
 */
import { type Estimate, normalEstimate } from "./estimate.ts";

/** Sums over kept events: totals of parts of a stream add to that of the whole, so merging is exact. */
export class PoissonTotal {
  #sampled = 0;
  #total = 0;
  #variance = 0;
  #weights = 0;
  #squaredWeights = 0;
  #largest = 0;
  #sizes = 0;
  #squaredSizes = 0;

  /** A kept event with value `y` and inclusion probability `pi`, above 0 and at most 1. */
  add(y: number, pi: number): void {
    const weight = 1 / pi;
    const contribution = y * weight;
    this.#sampled += 1;
    this.#total += contribution;
    this.#variance += (1 - pi) * contribution * contribution;
    this.#weights += weight;
    this.#squaredWeights += weight * weight;
    const size = Math.abs(contribution);
    this.#sizes += size;
    this.#squaredSizes += size * size;
    if (size > this.#largest) this.#largest = size;
  }

  merge(other: PoissonTotal): void {
    this.#sampled += other.#sampled;
    this.#total += other.#total;
    this.#variance += other.#variance;
    this.#weights += other.#weights;
    this.#squaredWeights += other.#squaredWeights;
    this.#largest = Math.max(this.#largest, other.#largest);
    this.#sizes += other.#sizes;
    this.#squaredSizes += other.#squaredSizes;
  }

  get total(): number {
    return this.#total;
  }

  get variance(): number {
    return this.#variance;
  }

  estimate(confidence = 0.95): Estimate {
    const squares = this.#squaredWeights;
    return normalEstimate({
      value: this.#total,
      variance: this.#variance,
      sampled: this.#sampled,
      effectiveSize: squares === 0 ? 0 : (this.#weights * this.#weights) / squares,
      largest: this.#largest,
      evenness:
        this.#squaredSizes === 0
          ? 1
          : (this.#sizes * this.#sizes) / (this.#sampled * this.#squaredSizes),
      confidence,
    });
  }
}
