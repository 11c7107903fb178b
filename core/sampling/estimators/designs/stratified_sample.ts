/**
 * Samples of fixed size from strata whose sizes are known exactly: N ȳ of each, with variance N² (1 - n/N) s²/n
 * (Cochran 1977). One stratum is a simple random sample without replacement. Bernoulli samples are such, given how
 * many they kept.
 */
import { BpfError, ERRNO } from "../../../errors.ts";
import { requireDraw } from "./check_draw.ts";
import { PairSums } from "./pair_sums.ts";
import { addTotals, type DesignSample, differenceOf, type PairTotals } from "./pair_totals.ts";

interface Stratum {
  population: number;
  sampled: number;
  readonly sums: PairSums;
  largest: number;
  maximum: number;
}

function emptyStratum(): Stratum {
  return {
    population: 0,
    sampled: 0,
    sums: new PairSums(),
    largest: 0,
    maximum: Number.NEGATIVE_INFINITY,
  };
}

function mergeInto(own: Stratum, theirs: Stratum): void {
  own.population += theirs.population;
  own.sampled += theirs.sampled;
  own.sums.merge(theirs.sums);
  own.largest = Math.max(own.largest, theirs.largest);
  own.maximum = Math.max(own.maximum, theirs.maximum);
}

export class StratifiedSample implements DesignSample<StratifiedSample> {
  readonly #strata = new Map<string, Stratum>();

  #stratum(name: string): Stratum {
    const known = this.#strata.get(name);
    if (known !== undefined) return known;
    const created = emptyStratum();
    this.#strata.set(name, created);
    return created;
  }

  /** Events that the stratum has in all; adds up over calls, so that CPUs and epochs merge. */
  addPopulation(name: string, count: number): void {
    this.#stratum(name).population += count;
  }

  /** A sampled event. Throws `BpfError` EINVAL unless y and x are finite. */
  add(name: string, y: number, x = 1): void {
    requireDraw(y, x, 1);
    const stratum = this.#stratum(name);
    stratum.sampled += 1;
    stratum.sums.add(y, x, 1, 1);
    stratum.largest = Math.max(stratum.largest, Math.abs(y));
    stratum.maximum = Math.max(stratum.maximum, y);
  }

  merge(other: StratifiedSample): void {
    for (const [name, theirs] of other.#strata) mergeInto(this.#stratum(name), theirs);
  }

  /** Throws `BpfError` EINVAL where a stratum has more sampled events than events. */
  totals(whole: StratifiedSample = this): PairTotals {
    const groups = whole.#groups();
    const totals = addTotals(
      groups.map((names) => groupTotals(whole.#pool(names), this.#pool(names))),
    );
    if (whole !== this) return totals;
    const known = totals.known!;
    return { ...totals, known: { ...known, least: known.population, most: known.population } };
  }

  shareTotals(whole: StratifiedSample): PairTotals {
    const groups = whole.#groups();
    return addTotals(
      groups.map((names) => {
        const all = whole.#pool(names);
        return groupTotals(all, this.#pool(names), all.sums);
      }),
    );
  }

  /**
   * Names of strata, those together that are estimated as one: fewer than two sampled events tell nothing of a
   * spread. Where all of those have not even two, the smallest other stratum joins them.
   */
  #groups(): readonly (readonly string[])[] {
    const names = [...this.#strata.keys()].sort();
    const isSmall = (name: string) => {
      const { sampled, population } = this.#strata.get(name)!;
      return sampled < 2 && sampled < population;
    };
    const pooled = names.filter(isSmall);
    let rest = names.filter((name) => !isSmall(name));
    if (pooled.length > 0 && rest.length > 0 && this.#pool(pooled).sampled < 2) {
      const size = (name: string) => this.#strata.get(name)!.population;
      const smallest = rest.reduce((least, name) => (size(name) < size(least) ? name : least));
      pooled.push(smallest);
      rest = rest.filter((name) => name !== smallest);
    }
    const alone = rest.map((name) => [name]);
    return pooled.length > 0 ? [...alone, pooled] : alone;
  }

  /** These strata as one. */
  #pool(names: readonly string[]): Stratum {
    const pool = emptyStratum();
    for (const name of names) {
      const stratum = this.#strata.get(name);
      if (stratum !== undefined) mergeInto(pool, stratum);
    }
    return pool;
  }
}

/** N² (1 - n/N) s²/n and its kin, from the sums of what was sampled; sizes are those of `whole`. */
function groupTotals(whole: Stratum, part: Stratum, xOfWhole?: PairSums): PairTotals {
  const { population, sampled: n } = whole;
  if (n > population) {
    throw new BpfError("estimate from strata", `${n} events were sampled of ${population}`, {
      errno: ERRNO.EINVAL,
      hint: "count a stratum's events by addPopulation before it is estimated",
    });
  }
  const weight = n === 0 ? 0 : population / n;
  const rest = 1 - n / population;
  const moments = centralMoments(n, part.sums, xOfWhole);
  const draws = xOfWhole === undefined ? part.sampled : n;
  const second = n < 2 ? 0 : (population * weight * rest) / (n - 1);
  const third = n < 3 ? 0 : (population * weight * weight * rest * rest) / (n - 1) / (n - 2);
  // As if drawn independently, which makes it a little larger.
  const fourth = weight ** 4 * rest ** 3;
  return {
    y: weight * part.sums.y.value,
    x: weight * (xOfWhole ?? part.sums).x.value,
    yy: second * moments.yy,
    xy: second * moments.xy,
    xx: second * moments.xx,
    third: moments.third.map((moment) => third * n * moment) as [number, number, number, number],
    fourth: moments.fourth.map((moment) => fourth * moment) as PairSums["fourth"],
    sampled: draws,
    census: n === population,
    draws,
    weights: weight * draws,
    squaredWeights: weight * weight * draws,
    largest: weight * part.largest,
    maximum: part.maximum,
    known: {
      population,
      least: part.sampled,
      most: population - n + part.sampled,
      // Where nothing was drawn, one draw would stand for all.
      weight: n === 0 ? population : weight,
    },
  };
}

interface CentralMoments {
  readonly yy: number;
  readonly xy: number;
  readonly xx: number;
  readonly third: readonly [number, number, number, number];
  readonly fourth: PairSums["fourth"];
}

/** Σ (a - ā)(b - b̄) and so on up to products of four, over n events; those that were not summed are 0. */
function centralMoments(n: number, sums: PairSums, xOfWhole = sums): CentralMoments {
  if (n === 0) return { yy: 0, xy: 0, xx: 0, third: [0, 0, 0, 0], fourth: [0, 0, 0, 0, 0] };
  const [y, x] = [sums.y.value, xOfWhole.x.value];
  const [yy, xy, xx] = [sums.yy.value, sums.xy.value, xOfWhole.xx.value];
  return {
    yy: Math.max(0, yy - (y * y) / n),
    xy: xy - (x * y) / n,
    xx: Math.max(0, xx - (x * x) / n),
    third: [
      sums.yyy.value - (3 * y * yy) / n + (2 * y * y * y) / n / n,
      sums.yyx.value - (x * yy + 2 * y * xy) / n + (2 * y * y * x) / n / n,
      sums.yxx.value - (y * xx + 2 * x * xy) / n + (2 * y * x * x) / n / n,
      xOfWhole.xxx.value - (3 * x * xx) / n + (2 * x * x * x) / n / n,
    ],
    fourth: centralFourth(n, sums, xOfWhole),
  };
}

/** Those of yyyy to xxxx; 0 where rounding leaves nothing of them. */
function centralFourth(n: number, sums: PairSums, xOfWhole: PairSums): PairSums["fourth"] {
  const [y, x] = [sums.y.value / n, xOfWhole.x.value / n];
  const [yy, xy, xx] = [sums.yy.value, sums.xy.value, xOfWhole.xx.value];
  const [yyy, yyx, yxx] = sums.third;
  const [yyyy, yyyx, yyxx, yxxx] = sums.fourth;
  const [xxx, xxxx] = [xOfWhole.xxx.value, xOfWhole.xxxx.value];
  return [
    differenceOf([yyyy, -4 * y * yyy, 6 * y * y * yy, -3 * n * y ** 4]),
    differenceOf([
      ...[yyyx, -x * yyy, -3 * y * yyx],
      ...[3 * y * y * xy, 3 * x * y * yy, -3 * n * x * y ** 3],
    ]),
    differenceOf([
      ...[yyxx, -2 * x * yyx, -2 * y * yxx],
      ...[x * x * yy, y * y * xx, 4 * x * y * xy, -3 * n * x * x * y * y],
    ]),
    differenceOf([
      ...[yxxx, -y * xxx, -3 * x * yxx],
      ...[3 * x * x * xy, 3 * x * y * xx, -3 * n * y * x ** 3],
    ]),
    differenceOf([xxxx, -4 * x * xxx, 6 * x * x * xx, -3 * n * x ** 4]),
  ];
}
