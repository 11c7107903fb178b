/**
 * Totals where connections were kept as a whole (consistent sampling): a connection is one draw, so its events are
 * added up before they are weighed, and the variance is that of the connections' sums. Taken event by event the
 * variance would be far too small.
 */
import type { Estimate } from "./estimate.ts";
import { PoissonTotal } from "./poisson_total.ts";

/** Clusters that are remembered; more are refused rather than counted twice. */
export const CLUSTERS_MAX = 1_000_000;

export class ClusterTotal {
  readonly #clusters = new Map<string, { sum: number; readonly pi: number }>();
  #refused = 0;

  /** Events beyond `CLUSTERS_MAX` connections: the estimate lacks them. */
  get refused(): number {
    return this.#refused;
  }

  add(cluster: string, y: number, pi: number): void {
    const known = this.#clusters.get(cluster);
    if (known !== undefined) known.sum += y;
    else if (this.#clusters.size < CLUSTERS_MAX) this.#clusters.set(cluster, { sum: y, pi });
    else this.#refused += 1;
  }

  merge(other: ClusterTotal): void {
    for (const [cluster, { sum, pi }] of other.#clusters) this.add(cluster, sum, pi);
    this.#refused += other.#refused;
  }

  estimate(confidence = 0.95): Estimate {
    const totals = new PoissonTotal();
    for (const { sum, pi } of this.#clusters.values()) totals.add(sum, pi);
    const estimate = totals.estimate(confidence);
    if (this.#refused === 0) return estimate;
    return { ...estimate, warning: `${this.#refused} events of further connections are missing` };
  }
}
