/**
 * Connections that were kept as a whole (consistent sampling): all events of a connection share one randomness R, so
 * a connection is one draw. Its events are weighed and added up first, and the variance is that of the connections'
 * sums (the ultimate-cluster estimator); taken event by event it would be far too small.
 *
 * Events of one connection may have met different thresholds (types, classes, epochs). Of two with π ≤ π', both are
 * kept with probability π, so their part of the variance is (1/π' - 1) y y' / π, which is unbiased; alike for all,
 * it is (1 - π) Y²/π².
 *
 * Memory is bounded: beyond `limit` sums, the connections with the smallest R go, and the threshold of all others is
 * raised to the largest R that went (Ting, Adaptive Threshold Sampling, 2017). That loses precision, adds no bias, and
 * does not depend on the order of events.
 */
import { ExactSum } from "../../../stats/exact_sum.ts";
import { Heap } from "../../selection/heap.ts";
import { requireDraw } from "./check_draw.ts";
import { PairSums } from "./pair_sums.ts";
import type { DesignSample, PairTotals } from "./pair_totals.ts";

/**
 * Sums of connections that are remembered, one for each probability that a connection's events met: a count of as many
 * is known to 1 %. Totals go through all of them, at the pace of metrics.
 */
export const CLUSTER_SUMS_MAX = 16_384;
/** R as it is given here: the upper 53 of its 56 bits, a whole number. */
export const CLUSTER_RANDOMNESS_LIMIT = 2 ** 53;

/** A connection's events that were kept with one probability. */
interface Level {
  readonly pi: number;
  readonly y: ExactSum;
  readonly x: ExactSum;
  events: number;
  maximum: number;
}

export class ClusterSample implements DesignSample<ClusterSample> {
  readonly #limit: number;
  readonly #clusters = new Map<number, Level[]>();
  readonly #order = new Heap<number>((left, right) => left < right);
  #levels = 0;
  /** Connections with a smaller R have gone. */
  #threshold = 0;

  constructor(limit = CLUSTER_SUMS_MAX) {
    this.#limit = limit;
  }

  /**
   * A kept event of the connection with this randomness (a whole number below 2^53), and the probability that its
   * threshold gave it. Throws `BpfError` EINVAL for what cannot be.
   */
  add(randomness: number, y: number, pi: number, x = 1): void {
    requireDraw(y, x, pi);
    if (randomness < this.#threshold) return;
    const level = this.#level(randomness, pi);
    level.y.add(y);
    level.x.add(x);
    level.events += 1;
    if (y > level.maximum) level.maximum = y;
    this.#shrink();
  }

  #level(randomness: number, pi: number): Level {
    let levels = this.#clusters.get(randomness);
    if (levels === undefined) {
      levels = [];
      this.#clusters.set(randomness, levels);
      this.#order.push(randomness);
    }
    // The last one first: probabilities change seldom.
    for (let i = levels.length - 1; i >= 0; i--) if (levels[i]!.pi === pi) return levels[i]!;
    const level = {
      ...{ pi, y: new ExactSum(), x: new ExactSum() },
      ...{ events: 0, maximum: Number.NEGATIVE_INFINITY },
    };
    levels.push(level);
    this.#levels += 1;
    return level;
  }

  #shrink(): void {
    while (this.#levels > this.#limit) this.#drop(this.#order.least!);
  }

  #drop(randomness: number): void {
    this.#order.pop();
    this.#levels -= this.#clusters.get(randomness)!.length;
    this.#clusters.delete(randomness);
    this.#threshold = randomness + 1;
  }

  /** Takes in what another CPU or node sampled of the same or other connections. */
  merge(other: ClusterSample): void {
    this.#threshold = Math.max(this.#threshold, other.#threshold);
    while (this.#order.size > 0 && this.#order.least! < this.#threshold) {
      const threshold = this.#threshold;
      this.#drop(this.#order.least!);
      this.#threshold = threshold;
    }
    for (const [randomness, levels] of other.#clusters) {
      if (randomness < this.#threshold) continue;
      for (const { pi, y, x, events, maximum } of levels) {
        const own = this.#level(randomness, pi);
        own.y.merge(y);
        own.x.merge(x);
        own.events += events;
        own.maximum = Math.max(own.maximum, maximum);
      }
    }
    this.#shrink();
  }

  totals(): PairTotals {
    return this.#pairTotals(this);
  }

  shareTotals(whole: ClusterSample): PairTotals {
    return whole.#pairTotals(this);
  }

  /** x of this sample, y of `domain`, which holds a part of its connections' events. */
  #pairTotals(domain: ClusterSample): PairTotals {
    const sums = new PairSums();
    const weights = new ExactSum();
    const squaredWeights = new ExactSum();
    const threshold = Math.max(this.#threshold, domain.#threshold);
    const limit = (CLUSTER_RANDOMNESS_LIMIT - threshold) / CLUSTER_RANDOMNESS_LIMIT;
    let census = true;
    let [sampled, draws, largest, maximum] = [0, 0, 0, Number.NEGATIVE_INFINITY];
    for (const [randomness, levels] of this.#clusters) {
      if (randomness < threshold) continue;
      const own = domain === this ? levels : (domain.#clusters.get(randomness) ?? []);
      const cluster = clusterTotals(own, levels, limit);
      sums.addFirst(cluster.y, cluster.x, 1);
      sums.addSecond(cluster.yy, cluster.xy, cluster.xx, 1);
      sums.addHigher(cluster.y, cluster.x, 1 - cluster.pi, 1);
      weights.add(cluster.weight);
      squaredWeights.add(cluster.weight * cluster.weight);
      sampled += cluster.events;
      census &&= cluster.certain;
      draws += 1;
      largest = Math.max(largest, Math.abs(cluster.y));
      for (const level of own) maximum = Math.max(maximum, level.maximum);
    }
    const { y, x, yy, xy, xx, third, fourth } = sums;
    return {
      ...{ y: y.value, x: x.value, yy: yy.value, xy: xy.value, xx: xx.value, third, fourth },
      ...{ sampled, census, draws, weights: weights.value, squaredWeights: squaredWeights.value },
      ...{ largest, maximum, known: undefined },
    };
  }
}

interface ClusterTotals {
  readonly y: number;
  readonly x: number;
  readonly yy: number;
  readonly xy: number;
  readonly xx: number;
  /** Σ 1/π of its events. */
  readonly weight: number;
  readonly events: number;
  /** Largest probability that one of its events had. */
  readonly pi: number;
  /** Whether all of them were certain. */
  readonly certain: boolean;
}

/** One connection: x and events of `levels`, y of those in `domain`; no probability is above `limit`. */
function clusterTotals(
  domain: readonly Level[],
  levels: readonly Level[],
  limit: number,
): ClusterTotals {
  let [y, x, yy, xy, xx, weight, events, pi] = [0, 0, 0, 0, 0, 0, 0, 0];
  let certain = true;
  // Upwards, so that the sums so far are of what had a smaller probability.
  for (const level of [...levels].sort((left, right) => left.pi - right.pi)) {
    pi = Math.min(level.pi, limit);
    const levelY = domain.find((own) => own.pi === level.pi)?.y.value ?? 0;
    const levelX = level.x.value;
    const rest = 1 / pi - 1;
    certain &&= pi === 1;
    yy += rest * levelY * (levelY / pi + 2 * y);
    xy += rest * (levelX * (levelY / pi + y) + levelY * x);
    xx += rest * levelX * (levelX / pi + 2 * x);
    y += levelY / pi;
    x += levelX / pi;
    weight += level.events / pi;
    events += level.events;
  }
  return { y, x, yy, xy, xx, weight, events, pi, certain };
}
