/** Values of a workload's events: the same for every strategy and replication. */
import type { Xoshiro128 } from "#core/random/xoshiro128.ts";
import type { GeneratedWorkload } from "./schema.ts";

/** Rank r with probability proportional to r^-s, by the inverse of its distribution. */
export function zipf(exponent: number, ranks: number): (random: Xoshiro128) => number {
  const cumulative = new Float64Array(ranks);
  let sum = 0;
  for (let rank = 1; rank <= ranks; rank++) cumulative[rank - 1] = sum += rank ** -exponent;
  return (random) => {
    const wanted = random.uniform() * sum;
    let [low, high] = [0, ranks - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (cumulative[middle]! < wanted) low = middle + 1;
      else high = middle;
    }
    return low + 1;
  };
}

/** Events of a burst stand together, like the requests of one slow second. */
const BURST_EVENTS = 200;
const BURST_SHARE = 0.05;

export function generateValues(
  workload: GeneratedWorkload,
  events: number,
  random: Xoshiro128,
): Float64Array {
  const fill = (value: (index: number) => number) =>
    Float64Array.from({ length: events }, (_, i) => value(i));
  switch (workload.kind) {
    case "constant":
      return fill(() => 1);
    case "lognormal":
      return fill(() => random.lognormal(1, workload.sigma));
    case "pareto":
      return fill(() => random.pareto(1, workload.alpha));
    case "zipf": {
      const draw = zipf(workload.exponent, workload.ranks);
      return fill(() => draw(random));
    }
    case "bursty": {
      let inBurst = false;
      return fill((i) => {
        if (i % BURST_EVENTS === 0) inBurst = random.uniform() < BURST_SHARE;
        return (inBurst ? workload.factor : 1) * (0.5 + random.uniform());
      });
    }
    case "periodic":
      return fill((i) => (i % workload.period === 0 ? workload.period : 1));
  }
}
