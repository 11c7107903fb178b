/**
 * Means of events that were kept independently: Hájek's Σ(y/π)/Σ(1/π), which uses that the number of events is
 * estimated by the same sample, with the variance of its linearization, N̂⁻² Σ (1 - π) ((y - ȳ)/π)².
 */
import { type Estimate, normalEstimate } from "./estimate.ts";

export class HajekMean {
  #sampled = 0;
  #weights = 0;
  #squaredWeights = 0;
  #total = 0;
  /** Σ (1 - π)/π² times 1, y, y²: the variance around any mean follows from them. */
  #spread = [0, 0, 0];
  #largest = 0;

  add(y: number, pi: number): void {
    const weight = 1 / pi;
    const factor = (1 - pi) * weight * weight;
    this.#sampled += 1;
    this.#weights += weight;
    this.#squaredWeights += weight * weight;
    this.#total += y * weight;
    this.#spread[0]! += factor;
    this.#spread[1]! += factor * y;
    this.#spread[2]! += factor * y * y;
    this.#largest = Math.max(this.#largest, Math.abs(y * weight));
  }

  merge(other: HajekMean): void {
    this.#sampled += other.#sampled;
    this.#weights += other.#weights;
    this.#squaredWeights += other.#squaredWeights;
    this.#total += other.#total;
    this.#spread = this.#spread.map((sum, i) => sum + other.#spread[i]!);
    this.#largest = Math.max(this.#largest, other.#largest);
  }

  estimate(confidence = 0.95): Estimate {
    const mean = this.#weights === 0 ? 0 : this.#total / this.#weights;
    const [one = 0, y = 0, yy = 0] = this.#spread;
    const spread = yy - 2 * mean * y + mean * mean * one;
    const population = this.#weights * this.#weights;
    const squares = this.#squaredWeights;
    return normalEstimate({
      value: mean,
      variance: population === 0 ? 0 : spread / population,
      sampled: this.#sampled,
      effectiveSize: squares === 0 ? 0 : population / squares,
      largest: this.#weights === 0 ? 0 : this.#largest / this.#weights,
      confidence,
    });
  }
}
