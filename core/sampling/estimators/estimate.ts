/** What an estimator answers, and what it may be told besides the sample. */

/** Why an interval should not be relied on. */
export type Distrust =
  | "nothing_sampled"
  | "few_events"
  | "no_spread"
  | "dominant_event"
  | "skewed"
  | "uncertain_size"
  | "beyond_sample"
  | "maximum_missed"
  | "events_missed"
  | "unsampled"
  | "losses";

/** How an interval was made; docs/sampling.md says which is for what. */
export type IntervalMethod =
  | "exact"
  | "student_t"
  | "skew_corrected"
  | "bootstrap_t"
  | "gamma"
  | "wilson"
  | "clopper_pearson"
  | "korn_graubard"
  | "hypergeometric"
  | "woodruff";

export interface Estimate {
  readonly value: number;
  /** Of the estimator. */
  readonly variance: number;
  readonly standardError: number;
  readonly lower: number;
  readonly upper: number;
  readonly method: IntervalMethod;
  /** Events that it is from. */
  readonly sampled: number;
  /** How many events of equal weight would tell as much (Kish): (Σw)²/Σw². */
  readonly effectiveSize: number;
  /** Names of what is wrong with the interval; empty where it may be relied on. */
  readonly reasons: readonly Distrust[];
  /** The same as a sentence for people; undefined where there is nothing to say. */
  readonly warning: string | undefined;
}

export interface EstimateOptions {
  /** Inside (0, 1); 0.95 by default. */
  readonly confidence?: number;
  /** Events that were lost after sampling, with a probability that nobody knows. */
  readonly lost?: number;
  /** Largest value that is known to have occurred, sampled or not. */
  readonly maximum?: number;
  /** Number of the events that the estimate is about, where that is counted exactly. */
  readonly events?: number;
  /** Smallest probability that any event had, sampled or not; of the sampled ones by default. */
  readonly rate?: number;
}

export const CONFIDENCE_DEFAULT = 0.95;
