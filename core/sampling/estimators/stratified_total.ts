/**
 * Totals from strata whose sizes are known exactly: N ȳ of each, with variance N² (1 - n/N) s²/n (Cochran 1977). A
 * single stratum is a simple random sample without replacement. Bernoulli samples are such, given how many they kept.
 */
import { type Estimate, normalEstimate } from "./estimate.ts";

interface Stratum {
  population: number;
  sampled: number;
  sum: number;
  squares: number;
  largest: number;
}

export class StratifiedTotal {
  readonly #strata = new Map<string, Stratum>();

  #stratum(name: string): Stratum {
    const known = this.#strata.get(name);
    if (known !== undefined) return known;
    const created = { population: 0, sampled: 0, sum: 0, squares: 0, largest: 0 };
    this.#strata.set(name, created);
    return created;
  }

  /** Events that the stratum has in all; adds up over calls, so that CPUs and epochs merge. */
  addPopulation(name: string, count: number): void {
    this.#stratum(name).population += count;
  }

  add(name: string, y: number): void {
    const stratum = this.#stratum(name);
    stratum.sampled += 1;
    stratum.sum += y;
    stratum.squares += y * y;
    stratum.largest = Math.max(stratum.largest, Math.abs(y));
  }

  merge(other: StratifiedTotal): void {
    for (const [name, theirs] of other.#strata) {
      const own = this.#stratum(name);
      own.population += theirs.population;
      own.sampled += theirs.sampled;
      own.sum += theirs.sum;
      own.squares += theirs.squares;
      own.largest = Math.max(own.largest, theirs.largest);
    }
  }

  /**
   * Strata of which fewer than two were sampled are pooled: alone they tell nothing of their spread. A stratum of
   * which nothing was sampled contributes by the pool's mean.
   */
  estimate(confidence = 0.95): Estimate {
    const all = [...this.#strata.values()];
    const small = all.filter(({ sampled, population }) => sampled < 2 && sampled < population);
    const rest = all.filter((stratum) => !small.includes(stratum));
    const pooled = small.length === 0 ? [] : [pool(small)];
    let [value, variance, sampled, largest, weights, squaredWeights] = [0, 0, 0, 0, 0, 0];
    for (const each of [...rest, ...pooled]) {
      if (each.sampled === 0) continue;
      const weight = each.population / each.sampled;
      value += weight * each.sum;
      variance += varianceOf(each);
      sampled += each.sampled;
      largest = Math.max(largest, weight * each.largest);
      weights += each.population;
      squaredWeights += weight * weight * each.sampled;
    }
    const effectiveSize = squaredWeights === 0 ? 0 : (weights * weights) / squaredWeights;
    return normalEstimate({ value, variance, sampled, effectiveSize, largest, confidence });
  }
}

function pool(strata: readonly Stratum[]): Stratum {
  return strata.reduce((left, right) => ({
    population: left.population + right.population,
    sampled: left.sampled + right.sampled,
    sum: left.sum + right.sum,
    squares: left.squares + right.squares,
    largest: Math.max(left.largest, right.largest),
  }));
}

function varianceOf({ population, sampled, sum, squares }: Stratum): number {
  if (sampled < 2) return 0;
  const spread = Math.max(0, (squares - (sum * sum) / sampled) / (sampled - 1));
  return (population * population * (1 - sampled / population) * spread) / sampled;
}
