/**
 * What every design says of two totals at once: Σ y and Σ x over all events, with the variances and the covariance of
 * their estimates. Totals, means, ratios, proportions and quantiles are functions of such a pair: x is 1 where events
 * are counted, so that Σ x is their number.
 */

export interface PairTotals {
  readonly y: number;
  readonly x: number;
  /** Estimated variances of both totals, and their covariance. */
  readonly yy: number;
  readonly xy: number;
  readonly xx: number;
  /** Estimated third central moments of the totals, for small probabilities: yyy, yyx, yxx, xxx. */
  readonly third: readonly [number, number, number, number];
  /** Estimated variances and covariances of those second moments: yyyy, yyyx, yyxx, yxxx, xxxx. */
  readonly fourth: readonly [number, number, number, number, number];
  /** Events that they are from. */
  readonly sampled: number;
  /** Whether every one of them was certain to be kept. */
  readonly census: boolean;
  /** Independent draws: events, or clusters. */
  readonly draws: number;
  /** Σ w and Σ w² of the draws' weights w = 1/π (of a cluster: those of its events together). */
  readonly weights: number;
  readonly squaredWeights: number;
  /** Largest |y| w of one draw. */
  readonly largest: number;
  /** Largest y that was sampled; -Infinity where nothing was. */
  readonly maximum: number;
  /** What is certain where all events are counted; undefined for designs that don't know. */
  readonly known: KnownSizes | undefined;
}

/** Numbers of events that need no estimate. */
export interface KnownSizes {
  /** Of the whole. */
  readonly population: number;
  /** Least and most that these may be: the sampled ones, and all that may not have been sampled. */
  readonly least: number;
  readonly most: number;
  /** Largest number of events that one draw of the whole stands for. */
  readonly weight: number;
}

/** One draw's events: how they were kept is the design's matter. */
export interface DesignSample<Whole> {
  /**
   * The pair of totals. Where this sample holds only the events of a domain, `whole` is the sample that they belong
   * to; designs with known sizes need it.
   */
  totals(whole?: Whole): PairTotals;
  /** y of this domain against x of `whole`, whose part it is: a share. */
  shareTotals(whole: Whole): PairTotals;
}

/** Events of equal weight that would tell as much (Kish): (Σw)²/Σw². */
export function effectiveSize({ weights, squaredWeights }: PairTotals): number {
  return squaredWeights === 0 ? 0 : (weights * weights) / squaredWeights;
}

export interface Linear {
  readonly variance: number;
  /** Of the estimate, (third moment)/(variance)^1.5; 0 without variance. */
  readonly skewness: number;
  /**
   * Degrees of freedom that the variance is known with, 2 V²/Var(V) (Satterthwaite 1946): few where few draws make it up.
   * Infinite without variance, and where rounding leaves nothing to tell.
   */
  readonly degrees: number;
}

/** Variance and skewness of a Σy + b Σx as it is estimated. */
export function linear({ yy, xy, xx, third, fourth }: PairTotals, a: number, b: number): Linear {
  const variance = Math.max(0, a * a * yy + 2 * a * b * xy + b * b * xx);
  if (variance === 0) return { variance, skewness: 0, degrees: Number.POSITIVE_INFINITY };
  const [yyy, yyx, yxx, xxx] = third;
  const moment = a * a * (a * yyy + 3 * b * yyx) + b * b * (3 * a * yxx + b * xxx);
  const [yyyy, yyyx, yyxx, yxxx, xxxx] = fourth;
  const varianceOfVariance = differenceOf([
    ...[a ** 4 * yyyy, 4 * a ** 3 * b * yyyx, 6 * a * a * b * b * yyxx],
    ...[4 * a * b ** 3 * yxxx, b ** 4 * xxxx],
  ]);
  return {
    variance,
    skewness: moment / variance ** 1.5,
    // Divided twice, since the square of a small variance may be 0.
    degrees: 2 / (Math.max(0, varianceOfVariance) / variance / variance),
  };
}

/** Part of the terms that a sum must be to say more than how they were rounded. */
const CANCELLED = 2 ** -46;

/** Sum of terms that nearly cancel out; 0 where what is left may be their rounding. */
export function differenceOf(terms: readonly number[]): number {
  const sum = terms.reduce((all, term) => all + term, 0);
  const size = terms.reduce((all, term) => all + Math.abs(term), 0);
  return Math.abs(sum) > CANCELLED * size ? sum : 0;
}

/** Totals of samples that were drawn independently, as one. */
export function addTotals(parts: readonly PairTotals[]): PairTotals {
  const sum = (of: (part: PairTotals) => number) => parts.reduce((all, part) => all + of(part), 0);
  return {
    y: sum(({ y }) => y),
    x: sum(({ x }) => x),
    yy: sum(({ yy }) => yy),
    xy: sum(({ xy }) => xy),
    xx: sum(({ xx }) => xx),
    third: [
      sum(({ third }) => third[0]),
      sum(({ third }) => third[1]),
      sum(({ third }) => third[2]),
      sum(({ third }) => third[3]),
    ],
    fourth: [
      sum(({ fourth }) => fourth[0]),
      sum(({ fourth }) => fourth[1]),
      sum(({ fourth }) => fourth[2]),
      sum(({ fourth }) => fourth[3]),
      sum(({ fourth }) => fourth[4]),
    ],
    sampled: sum(({ sampled }) => sampled),
    census: parts.every(({ census }) => census),
    draws: sum(({ draws }) => draws),
    weights: sum(({ weights }) => weights),
    squaredWeights: sum(({ squaredWeights }) => squaredWeights),
    largest: Math.max(0, ...parts.map(({ largest }) => largest)),
    maximum: Math.max(Number.NEGATIVE_INFINITY, ...parts.map(({ maximum }) => maximum)),
    known: addKnown(parts.map(({ known }) => known)),
  };
}

function addKnown(parts: readonly (KnownSizes | undefined)[]): KnownSizes | undefined {
  let sum: KnownSizes = { population: 0, least: 0, most: 0, weight: 0 };
  for (const part of parts) {
    if (part === undefined) return undefined;
    sum = {
      population: sum.population + part.population,
      least: sum.least + part.least,
      most: sum.most + part.most,
      weight: Math.max(sum.weight, part.weight),
    };
  }
  return sum;
}
