/**
 * The bootstrap-t interval of a total (Efron; for skewed values): how the studentized estimate scatters is learnt by
 * drawing again from the population that the sample stands for. Needs the kept events themselves, and time; sums do
 * with the rule of `interval_rule.ts`, which is as accurate to second order.
 */
import { requireInteger } from "../../stats/check_argument.ts";
import { PoissonSample } from "./designs/poisson_sample.ts";
import { CONFIDENCE_DEFAULT, type Estimate, type EstimateOptions } from "./estimate.ts";
import { estimateTotal } from "./total.ts";

/** A kept event: its value, and the probability that it was kept with. */
export interface KeptEvent {
  readonly y: number;
  readonly pi: number;
}

export interface BootstrapOptions extends EstimateOptions {
  /** Uniform on [0, 1). */
  readonly random: () => number;
  /** Samples that are drawn again; 999 by default. */
  readonly replicates?: number;
}

/**
 * The total that independently kept events stand for. Each stands for 1/π events, of which every replicate keeps
 * some, each with probability π. Where too many replicates keep nothing, a bound is infinite. Throws `BpfError` EINVAL
 * for what no sample can be.
 */
export function bootstrapTotal(kept: readonly KeptEvent[], options: BootstrapOptions): Estimate {
  const { random, replicates = 999, confidence = CONFIDENCE_DEFAULT } = options;
  requireInteger("bootstrap a total", "replicates", replicates, 1);
  const sample = new PoissonSample();
  for (const { y, pi } of kept) sample.add(y, pi);
  const estimate = estimateTotal(sample, options);
  const { value, standardError } = estimate;
  if (standardError === 0) return estimate;
  const studentized = new Float64Array(replicates);
  for (let i = 0; i < replicates; i++) studentized[i] = studentizedReplicate(kept, value, random);
  studentized.sort();
  const tail = (1 - confidence) / 2;
  return {
    ...estimate,
    lower: value - standardError * orderStatistic(studentized, 1 - tail),
    upper: value - standardError * orderStatistic(studentized, tail),
    method: "bootstrap_t",
  };
}

/** (t* - t) / √V* of one sample drawn again; infinite where it kept nothing that varies, and another total. */
function studentizedReplicate(
  kept: readonly KeptEvent[],
  total: number,
  random: () => number,
): number {
  let [sum, variance] = [0, 0];
  for (const { y, pi } of kept) {
    const times = keptOf(1 / pi, pi, random);
    const contribution = y / pi;
    sum += times * contribution;
    variance += times * (1 - pi) * contribution * contribution;
  }
  return sum === total ? 0 : (sum - total) / Math.sqrt(variance);
}

/** Successes of `trials` with probability p, by inversion; a part of a trial is one with that probability. */
function keptOf(trials: number, p: number, random: () => number): number {
  if (p === 1) return 1;
  const whole = Math.floor(trials);
  const n = random() < trials - whole ? whole + 1 : whole;
  let [kept, mass] = [0, (1 - p) ** n];
  for (let u = random() - mass; u >= 0 && kept < n; u -= mass) {
    mass *= ((n - kept) * p) / ((kept + 1) * (1 - p));
    kept += 1;
  }
  return kept;
}

/** Rounding that a tail of the replicates may have: 0.025 of 1000 are 25, not a little more. */
const ROUNDING = 1e-12;

/** The value that a part `p` of the sorted ones is at most. */
function orderStatistic(sorted: Float64Array, p: number): number {
  const at = Math.ceil(p * (sorted.length + 1) * (1 - ROUNDING)) - 1;
  return sorted[Math.min(sorted.length - 1, Math.max(0, at))]!;
}
