/**
 * What the delivered events of one type stand for, as a run goes on: sums, connections where they must be, and a sample of
 * bounded size for quantiles.
 */
import { anytimeCountInterval } from "../stats/intervals/anytime_count.ts";
import { countOfTotals } from "./estimators/count.ts";
import { ClusterSample } from "./estimators/designs/cluster_sample.ts";
import { addTotals, type PairTotals } from "./estimators/designs/pair_totals.ts";
import { PoissonSample } from "./estimators/designs/poisson_sample.ts";
import { CONFIDENCE_DEFAULT, type Estimate, type EstimateOptions } from "./estimators/estimate.ts";
import { ratioOfTotals } from "./estimators/ratio.ts";
import { LiveQuantiles } from "./live_quantiles.ts";

/** Rates whose counts are kept apart for `anytime`; with more there is no such interval. */
const RATES_MAX = 16;

/** Quantiles of the latency that are estimated, by the names that they are shown with. */
export const LATENCY_QUANTILES = { p50: 0.5, p95: 0.95, p99: 0.99 } as const;
export type LatencyQuantile = keyof typeof LATENCY_QUANTILES;

export interface LiveEstimate {
  /** Events of the type that reached sampling. */
  readonly count: Estimate;
  /** Mean latency of those whose latency is known; undefined where none was. */
  readonly latency_ns: Estimate | undefined;
  /** Their quantiles; distrusted as `beyond_sample` where there are too few to bound one. */
  readonly latency_quantiles_ns: Readonly<Record<LatencyQuantile, Estimate>> | undefined;
  /**
   * Bounds of the count that hold at every look at once, where a dashboard's normal ones hold at one look; undefined
   * where connections are kept as a whole, where the rate has changed often, or where it is too small to bound anything.
   */
  readonly anytime: { readonly lower: number; readonly upper: number } | undefined;
}

export interface LiveFacts
  extends Pick<EstimateOptions, "confidence" | "lost" | "rate" | "events"> {
  /** Longest latency that is known to have occurred, in ns. */
  readonly latencyMax_ns?: number;
}

/**
 * Events that were drawn one by one, and those whose connections were kept as a whole. A run may go from one to
 * the other; what it drew before and after is independent.
 */
class LiveSample {
  readonly #single = new PoissonSample();
  readonly #connections = new ClusterSample();

  addSingle(y: number, pi: number): void {
    this.#single.add(y, pi);
  }

  addOfConnection(randomness: number, y: number, pi: number): void {
    this.#connections.add(randomness, y, pi);
  }

  totals(): PairTotals {
    return addTotals([this.#single.totals(), this.#connections.totals()]);
  }
}

export class LiveEstimates {
  readonly #count = new LiveSample();
  readonly #latency = new LiveSample();
  readonly #quantiles = new LiveQuantiles();
  /** Events by the rate that kept them, in the order of its first event. */
  readonly #byRate = new Map<number, number>();
  #hasConnections = false;

  /** A delivered event that was drawn on its own: the upper 53 bits of R, and its latency where that is known. */
  addSingle(randomness: number, pi: number, latency_ns: number | undefined): void {
    this.#count.addSingle(1, pi);
    if (latency_ns !== undefined) {
      this.#latency.addSingle(latency_ns, pi);
      this.#quantiles.add(randomness, pi, latency_ns);
    }
    const known = this.#byRate.get(pi);
    // One more than is used says that there were too many.
    if (known !== undefined || this.#byRate.size <= RATES_MAX) {
      this.#byRate.set(pi, (known ?? 0) + 1);
    }
  }

  /** One whose connection was kept as a whole: all its events share R. */
  addOfConnection(randomness: number, pi: number, latency_ns: number | undefined): void {
    this.#hasConnections = true;
    this.#count.addOfConnection(randomness, 1, pi);
    if (latency_ns === undefined) return;
    this.#latency.addOfConnection(randomness, latency_ns, pi);
    this.#quantiles.add(randomness, pi, latency_ns);
  }

  estimate(known: LiveFacts = {}): LiveEstimate {
    const { latencyMax_ns, events, ...facts } = known;
    const latencies = this.#latency.totals();
    const maximum = latencyMax_ns === undefined ? {} : { maximum: latencyMax_ns };
    const latency = ratioOfTotals(latencies, { ...facts, ...maximum });
    const hasLatencies = latencies.draws > 0;
    return {
      count: countOfTotals(
        this.#count.totals(),
        events === undefined ? facts : { ...facts, events },
      ),
      // No operation takes less than no time.
      latency_ns: hasLatencies ? { ...latency, lower: Math.max(0, latency.lower) } : undefined,
      latency_quantiles_ns: hasLatencies
        ? this.#latencyQuantiles(
            facts,
            Math.max(latencies.maximum, latencyMax_ns ?? Number.POSITIVE_INFINITY),
          )
        : undefined,
      anytime: this.#anytime(facts),
    };
  }

  /** No latency that occurred is longer than `longest_ns`. */
  #latencyQuantiles(
    facts: LiveFacts,
    longest_ns: number,
  ): Readonly<Record<LatencyQuantile, Estimate>> {
    const ps = Object.values(LATENCY_QUANTILES);
    const estimates = this.#quantiles.estimates(ps, this.#hasConnections, facts);
    const [p50, p95, p99] = estimates.map((estimate) => ({
      ...estimate,
      lower: Math.max(0, estimate.lower),
      upper: Math.min(longest_ns, estimate.upper),
    })) as [Estimate, Estimate, Estimate];
    return { p50, p95, p99 };
  }

  /** Bounds of each rate's count, added: the n-th rate may miss with α/2ⁿ, all together with α. */
  #anytime({
    confidence = CONFIDENCE_DEFAULT,
    rate: least = 1,
  }: LiveFacts): LiveEstimate["anytime"] {
    if (this.#hasConnections || this.#byRate.size > RATES_MAX) return undefined;
    const byRate = new Map(this.#byRate);
    // At the least rate there may have been events that it kept none of.
    if (!byRate.has(least)) byRate.set(least, 0);
    let [lower, upper] = [0, 0];
    let allowance = 1 - confidence;
    for (const [rate, kept] of byRate) {
      if (rate < 1) allowance /= 2;
      const bounds = anytimeCountInterval(kept, rate, 1 - allowance);
      lower += bounds.lower;
      upper += bounds.upper;
    }
    return upper === Number.POSITIVE_INFINITY ? undefined : { lower, upper };
  }
}
