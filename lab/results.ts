/** What the replications of an experiment came to, and how parts of it become the whole. */

/**
 * One replication of one cell: index, estimate, bounds, effective size, events in the sample, warned. An interval that
 * has no bound on a side has null there.
 */
export type Replication = readonly [
  index: number,
  value: number,
  lower: number | null,
  upper: number | null,
  effectiveSize: number,
  sampled: number,
  warned: 0 | 1,
];

/** One replication over the intervals of the controller. */
export interface IntervalCounts {
  readonly index: number;
  /** Events kept in each interval. */
  readonly kept: readonly number[];
  /** The total of each interval's values, as estimated. */
  readonly totals: readonly number[];
}

/** What is the same in all replications of a cell that is watched over time. */
export interface Timeline {
  readonly interval_s: number;
  /** Events a second that the strategy is to keep. */
  readonly target_events_per_s: number;
  /** Of each interval: events offered, the total of their values, the load that they are drawn from, the rate in force. */
  readonly offered: readonly number[];
  readonly truths: readonly number[];
  readonly loads_per_s: readonly number[];
  readonly rates: readonly number[];
  /** When the load changes: where its phases begin. */
  readonly changes_s: readonly number[];
  readonly replications: readonly IntervalCounts[];
}

export interface CellResults {
  readonly strategy: string;
  /** Of the strategy: uniform, tail, bottom_k. */
  readonly kind: string;
  readonly workload: string;
  readonly quantity: string;
  readonly truth: number;
  readonly events: number;
  readonly replications: readonly Replication[];
  /** Of the first replication that warned; "" where none did. */
  readonly warning: string;
  /** Of adaptive strategies under a load that changes, beside the first quantity. */
  readonly timeline?: Timeline;
  /** Mean time of one event's decision and its part of the estimate, on this machine; only where it was asked for. */
  readonly cost_ns?: number;
}

export interface ExperimentResults {
  readonly experiment: string;
  readonly description: string;
  readonly seed: number;
  readonly confidence: number;
  readonly decisions: string;
  /** Replications of the whole experiment. */
  readonly wanted: number;
  readonly cells: readonly CellResults[];
}

/** Equal where parts are of the same experiment, as it was when they ran. */
function whatWasRun({ cells, ...experiment }: ExperimentResults): string {
  const places = cells.map(({ strategy, workload, quantity, truth, events }) => [
    strategy,
    workload,
    quantity,
    truth,
    events,
  ]);
  return JSON.stringify([experiment, places]);
}

const firstIndex = (cell: CellResults): number =>
  cell.replications.find((each) => each[6] === 1)?.[0] ?? Number.POSITIVE_INFINITY;

function joinCells(parts: readonly CellResults[]): CellResults {
  const [first] = parts;
  const replications = parts.flatMap((part) => [...part.replications]);
  replications.sort((left, right) => left[0] - right[0]);
  const warned = [...parts].sort((left, right) => firstIndex(left) - firstIndex(right));
  const timeline = joinTimelines(parts.flatMap((part) => part.timeline ?? []));
  return {
    ...first!,
    replications,
    warning: warned[0]!.warning,
    ...(timeline === undefined ? {} : { timeline }),
  };
}

/** A part without replications saw no interval. */
function joinTimelines(parts: readonly Timeline[]): Timeline | undefined {
  const first = parts.find(({ offered }) => offered.length > 0) ?? parts[0];
  if (first === undefined) return undefined;
  const replications = parts.flatMap((part) => [...part.replications]);
  return { ...first, replications: replications.sort((one, other) => one.index - other.index) };
}

/** Parts of one experiment and seed as one part; throws where they do not belong together. */
export function joinResults(parts: readonly ExperimentResults[]): ExperimentResults {
  const [first, ...rest] = parts;
  if (first === undefined) throw new Error("there is nothing to merge");
  for (const part of rest) {
    if (whatWasRun(part) !== whatWasRun(first)) {
      throw new Error(
        `shards of ${first.experiment} and ${part.experiment} do not belong together: name, seed, or cells differ`,
      );
    }
  }
  const cells = first.cells.map((_, i) => joinCells(parts.map((part) => part.cells[i]!)));
  return { ...first, cells };
}

/** All shards of an experiment as exactly what a single run gives; throws where one is missing. */
export function mergeResults(shards: readonly ExperimentResults[]): ExperimentResults {
  const merged = joinResults(shards);
  for (const { strategy, workload, replications } of merged.cells) {
    if (replications.length !== merged.wanted || replications.some(([index], at) => index !== at)) {
      throw new Error(`${strategy} on ${workload}: a shard is missing, or came twice`);
    }
  }
  return merged;
}
