/** Every outcome of a design on a small population, with its probability, and exact expectations over them. */
import { Rational } from "../../../support/rational.ts";

export interface Outcome<Sample> {
  readonly sample: Sample;
  readonly probability: Rational;
}

/** Independent draws: which of the members are in. */
export function* independentDraws(rates: readonly Rational[]): Generator<Outcome<number[]>> {
  for (let mask = 0; mask < 2 ** rates.length; mask++) {
    let probability = Rational.ONE;
    const sample: number[] = [];
    rates.forEach((rate, i) => {
      const isIn = ((mask >> i) & 1) === 1;
      if (isIn) sample.push(i);
      probability = probability.times(isIn ? rate : Rational.ONE.minus(rate));
    });
    if (probability.top !== 0n) yield { sample, probability };
  }
}

/** Every subset of n of these members. */
export function subsets(members: readonly number[], n: number): number[][] {
  if (n === 0) return [[]];
  return members.flatMap((member, i) =>
    subsets(members.slice(i + 1), n - 1).map((rest) => [member, ...rest]),
  );
}

/** Every word of `length` letters from 0 to `letters` - 1, all alike probable. */
export function* words(letters: number, length: number): Generator<Outcome<number[]>> {
  const probability = new Rational(1n, BigInt(letters) ** BigInt(length));
  for (let code = 0; code < letters ** length; code++) {
    const sample = Array.from({ length }, (_, i) => Math.floor(code / letters ** i) % letters);
    yield { sample, probability };
  }
}

export interface Moments {
  readonly mean: Rational;
  readonly variance: Rational;
  /** Mean of the variance that was estimated. */
  readonly estimated: Rational;
}

/** Mean and variance of an estimate, and the mean of its estimated variance, over all outcomes. */
export function momentsOver<Sample>(
  outcomes: Iterable<Outcome<Sample>>,
  estimate: (sample: Sample) => { readonly value: number; readonly variance: number },
): Moments {
  let [mean, square, estimated, certain] = Array<Rational>(4).fill(Rational.ZERO) as [
    Rational,
    Rational,
    Rational,
    Rational,
  ];
  for (const { sample, probability } of outcomes) {
    const result = estimate(sample);
    const value = Rational.of(result.value);
    mean = mean.plus(probability.times(value));
    square = square.plus(probability.times(value).times(value));
    estimated = estimated.plus(probability.times(Rational.of(result.variance)));
    certain = certain.plus(probability);
  }
  if (!certain.isEqual(Rational.ONE)) throw new Error("the outcomes are not all there are");
  return { mean, variance: square.minus(mean.times(mean)), estimated };
}

/** Probability of the outcomes for which `holds`. */
export function probabilityOf<Sample>(
  outcomes: Iterable<Outcome<Sample>>,
  holds: (sample: Sample) => boolean,
): number {
  let sum = Rational.ZERO;
  for (const { sample, probability } of outcomes) {
    if (holds(sample)) sum = sum.plus(probability);
  }
  return sum.toNumber();
}
