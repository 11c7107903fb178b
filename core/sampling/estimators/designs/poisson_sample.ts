/**
 * Events that were kept independently, each with its own probability (Poisson sampling): Horvitz-Thompson totals
 * Σ y/π with the variance estimate Σ (1 - π) y²/π². Both are unbiased whatever the probabilities do, as long as each
 * was fixed before its event's coin was thrown (Särndal, Swensson, Wretman 1992).
 */
import { ExactSum } from "../../../stats/exact_sum.ts";
import { requireDraw } from "./check_draw.ts";
import { PairSums } from "./pair_sums.ts";
import type { DesignSample, PairTotals } from "./pair_totals.ts";

export class PoissonSample implements DesignSample<PoissonSample> {
  #sampled = 0;
  readonly #sums = new PairSums();
  readonly #weights = new ExactSum();
  readonly #squaredWeights = new ExactSum();
  #census = true;
  #largest = 0;
  #maximum = Number.NEGATIVE_INFINITY;
  /** The last event, and how often it came in a row: counting events at one rate adds nothing but this. */
  #y = 0;
  #x = 1;
  #pi = 1;
  #times = 0;

  /** A kept event, and the probability that it had. Throws `BpfError` EINVAL for what cannot be. */
  add(y: number, pi: number, x = 1): void {
    if (y === this.#y && pi === this.#pi && x === this.#x) {
      this.#times += 1;
      return;
    }
    requireDraw(y, x, pi);
    this.#flush();
    this.#y = y;
    this.#x = x;
    this.#pi = pi;
    this.#times = 1;
  }

  #flush(): void {
    const times = this.#times;
    if (times === 0) return;
    const weight = 1 / this.#pi;
    const rest = 1 - this.#pi;
    const contribution = this.#y * weight;
    this.#sums.add(contribution, this.#x * weight, rest, times);
    this.#weights.addTimes(weight, times);
    this.#squaredWeights.addTimes(weight * weight, times);
    this.#sampled += times;
    if (this.#pi < 1) this.#census = false;
    this.#largest = Math.max(this.#largest, Math.abs(contribution));
    this.#maximum = Math.max(this.#maximum, this.#y);
    this.#times = 0;
  }

  /** Takes in what another CPU or node sampled; exactly as if all had been added here. */
  merge(other: PoissonSample): void {
    this.#flush();
    other.#flush();
    this.#sums.merge(other.#sums);
    this.#weights.merge(other.#weights);
    this.#squaredWeights.merge(other.#squaredWeights);
    this.#sampled += other.#sampled;
    this.#census &&= other.#census;
    this.#largest = Math.max(this.#largest, other.#largest);
    this.#maximum = Math.max(this.#maximum, other.#maximum);
  }

  totals(): PairTotals {
    this.#flush();
    const { y, x, yy, xy, xx, third, fourth } = this.#sums;
    return {
      ...{ y: y.value, x: x.value, yy: yy.value, xy: xy.value, xx: xx.value, third, fourth },
      sampled: this.#sampled,
      census: this.#census,
      draws: this.#sampled,
      weights: this.#weights.value,
      squaredWeights: this.#squaredWeights.value,
      largest: this.#largest,
      maximum: this.#maximum,
      known: undefined,
    };
  }

  /** Draws outside of the domain have y = 0, so products with y are those of the domain alone. */
  shareTotals(whole: PoissonSample): PairTotals {
    const part = this.totals();
    const all = whole.totals();
    const [yyy, yyx, yxx] = part.third;
    const [yyyy, yyyx, yyxx, yxxx] = part.fourth;
    const { y, yy, xy, largest, maximum } = part;
    return {
      ...{ ...all, y, yy, xy, largest, maximum },
      third: [yyy, yyx, yxx, all.third[3]],
      fourth: [yyyy, yyyx, yyxx, yxxx, all.fourth[4]],
    };
  }
}
