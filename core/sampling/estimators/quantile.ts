/**
 * Quantiles of weighted events with Woodruff's interval: a value is inside as long as the interval of the part of
 * events up to it holds the wanted part (the test that Woodruff 1952 inverts). With equal weights that is the exact
 * interval between order statistics.
 */
import { requireProbability } from "../../stats/check_argument.ts";
import { normalUpperQuantile } from "../../stats/distributions/normal.ts";
import { ClusterSample } from "./designs/cluster_sample.ts";
import { effectiveSize, type PairTotals } from "./designs/pair_totals.ts";
import { PoissonSample } from "./designs/poisson_sample.ts";
import { StratifiedSample } from "./designs/stratified_sample.ts";
import { distrustOfDistribution, warningText } from "./distrust.ts";
import { CONFIDENCE_DEFAULT, type Distrust, type Estimate } from "./estimate.ts";
import { type ProportionOptions, proportionOfTotals } from "./proportion.ts";

export interface QuantileOptions extends Omit<ProportionOptions, "exact"> {
  /** Smallest and largest value that can be: bounds of an interval that no sampled value bounds. */
  readonly minimum?: number;
  readonly maximum?: number;
}

/** How sampled values enter a sample of some design. */
export interface QuantileDesign<Draw, Sample extends { totals(): PairTotals }> {
  create(): Sample;
  enter(sample: Sample, y: number, draw: Draw): void;
}

/** Values that were kept independently: a draw is its probability. */
export const POISSON_DRAWS: QuantileDesign<number, PoissonSample> = {
  create: () => new PoissonSample(),
  enter: (sample, y, pi) => sample.add(y, pi),
};

/** Values of connections that were kept as a whole. */
export const CLUSTER_DRAWS: QuantileDesign<
  { readonly randomness: number; readonly pi: number },
  ClusterSample
> = {
  create: () => new ClusterSample(),
  enter: (sample, y, { randomness, pi }) => sample.add(randomness, y, pi),
};

/** Values from strata of these sizes: a draw is its stratum's name. */
export function stratifiedDraws(
  populations: ReadonlyMap<string, number>,
): QuantileDesign<string, StratifiedSample> {
  return {
    create() {
      const sample = new StratifiedSample();
      for (const [name, count] of populations) sample.addPopulation(name, count);
      return sample;
    },
    enter: (sample, y, name) => sample.add(name, y),
  };
}

/** What quantiles of one sample have in common. */
interface Parts {
  /** Sampled values, each once. */
  readonly sorted: readonly number[];
  /** Part of the events that lie below all of them; totals of all. */
  readonly none: Estimate;
  readonly all: PairTotals;
  /** Part of the events up to the value at this place. */
  upTo(at: number): Estimate;
}

/** Values that are remembered; longer streams are to be cut to a sample first (`BottomK`). */
export const QUANTILE_VALUES_MAX = 1_000_000;

export class QuantileSample<Draw, Sample extends { totals(): PairTotals }> {
  readonly #design: QuantileDesign<Draw, Sample>;
  readonly #values: number[] = [];
  readonly #draws: Draw[] = [];
  #refused = 0;

  constructor(design: QuantileDesign<Draw, Sample>) {
    this.#design = design;
  }

  /** A sampled value. Beyond `QUANTILE_VALUES_MAX` it is counted as lost. */
  add(value: number, draw: Draw): void {
    if (this.#values.length === QUANTILE_VALUES_MAX) {
      this.#refused += 1;
      return;
    }
    this.#values.push(value);
    this.#draws.push(draw);
  }

  merge(other: QuantileSample<Draw, Sample>): void {
    other.#values.forEach((value, i) => {
      this.add(value, other.#draws[i]!);
    });
    this.#refused += other.#refused;
  }

  /**
   * The smallest value up to which at least the part `p` of all events lies. Throws `BpfError` EINVAL unless
   * 0 <= p <= 1.
   */
  estimate(p: number, options: QuantileOptions = {}): Estimate {
    return this.estimates([p], options)[0]!;
  }

  /** The same of several parts, which share what they look at. */
  estimates(ps: readonly number[], options: QuantileOptions = {}): Estimate[] {
    const parts = this.#parts(options);
    const lost = (options.lost ?? 0) + this.#refused;
    return ps.map((p) => {
      requireProbability("estimate a quantile", "p", p);
      return this.#estimate(p, parts, { ...options, lost });
    });
  }

  #parts(options: QuantileOptions): Parts {
    const sorted = [...new Set(this.#values)].sort((left, right) => left - right);
    const partUpTo = (limit: number) =>
      proportionOfTotals(this.#totalsUpTo(limit), { ...options, exact: true });
    const known = new Map<number, Estimate>();
    return {
      sorted,
      none: partUpTo(Number.NEGATIVE_INFINITY),
      all: this.#totalsUpTo(Number.POSITIVE_INFINITY),
      upTo(at) {
        const part = known.get(at) ?? partUpTo(sorted[at]!);
        known.set(at, part);
        return part;
      },
    };
  }

  #estimate(p: number, { sorted, none, all, upTo }: Parts, options: QuantileOptions): Estimate {
    const from = (isEnough: (part: Estimate) => boolean) =>
      firstIndex(sorted.length, (at) => isEnough(upTo(at)));
    const point = Math.min(
      from(({ value }) => value >= p),
      sorted.length - 1,
    );
    const least = from(({ upper }) => upper >= p);
    const most = from(({ lower }) => lower >= p);
    const { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY } = options;
    const lower = none.upper >= p && none.upper > 0 ? minimum : sorted[least];
    const upper = most < sorted.length ? sorted[most] : maximum;
    return this.#answer(all, sorted[point] ?? 0, lower ?? minimum, upper ?? maximum, options);
  }

  #answer(
    all: PairTotals,
    value: number,
    lower: number,
    upper: number,
    options: QuantileOptions,
  ): Estimate {
    const reasons: Distrust[] = distrustOfDistribution(all, options);
    const z = normalUpperQuantile((1 - (options.confidence ?? CONFIDENCE_DEFAULT)) / 2);
    if (!(lower >= -Number.MAX_VALUE && upper <= Number.MAX_VALUE)) reasons.push("beyond_sample");
    return {
      value,
      variance: ((upper - lower) / (2 * z)) ** 2,
      standardError: (upper - lower) / (2 * z),
      ...{ lower, upper, method: "woodruff" },
      sampled: all.sampled,
      effectiveSize: effectiveSize(all),
      reasons,
      warning: warningText(reasons),
    };
  }

  /** Events up to `limit` against all. */
  #totalsUpTo(limit: number): PairTotals {
    const sample = this.#design.create();
    this.#values.forEach((value, i) => {
      this.#design.enter(sample, value <= limit ? 1 : 0, this.#draws[i]!);
    });
    return sample.totals();
  }
}

/** The first index below `length` from which on `holds`; `length` where it never does. */
function firstIndex(length: number, holds: (at: number) => boolean): number {
  let [from, to] = [0, length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (holds(middle)) to = middle;
    else from = middle + 1;
  }
  return from;
}
