/** Runs an experiment, or one shard of it; shards merge to exactly what a single run gives. */
import { Xoshiro128 } from "#core/random/xoshiro128.ts";
import { estimateTotal, slowFrom } from "./estimate_total.ts";
import type { Experiment, Strategy, Workload } from "./experiment.ts";
import { generateValues } from "./values.ts";

/** One replication of one cell: index, estimate, bounds, effective size, kept, warned. */
export type Replication = readonly [
  index: number,
  value: number,
  lower: number,
  upper: number,
  effectiveSize: number,
  sampled: number,
  warned: 0 | 1,
];

export interface CellResults {
  readonly strategy: string;
  readonly workload: string;
  readonly truth: number;
  readonly events: number;
  readonly replications: readonly Replication[];
  /** Of all replications together, in nanoseconds of this machine for each event. */
  readonly cost_ns: number;
  readonly warning: string;
}

export interface Shard {
  readonly index: number;
  readonly count: number;
}

export interface ExperimentResults {
  readonly experiment: string;
  readonly description: string;
  readonly seed: number;
  readonly confidence: number;
  readonly wanted: number;
  readonly cells: readonly CellResults[];
}

/** Independent streams for a workload and for each replication of a cell, from one seed. */
function streamOf(seed: number, ...places: readonly number[]): Xoshiro128 {
  let mixed = 0;
  // The seed is mixed as the places are: combined with the first as it is, seed and place could cancel out.
  for (const word of [seed, ...places]) {
    mixed = Math.imul(mixed ^ (word + 0x9e3779b9), 0x85ebca6b) >>> 0;
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35) >>> 0;
  }
  return new Xoshiro128(mixed);
}

export interface RunOptions {
  readonly seed: number;
  readonly shard: Shard;
  /** Values of workloads that are recorded. */
  readonly recorded: (trace: string) => Promise<Float64Array>;
  /** The process's clock in milliseconds. */
  readonly now_ms: () => number;
}

export async function runExperiment(
  experiment: Experiment,
  { seed, shard, recorded, now_ms }: RunOptions,
): Promise<ExperimentResults> {
  const cells: CellResults[] = [];
  for (const [w, workload] of experiment.workloads.entries()) {
    const values = await valuesOf(workload, streamOf(seed, w), recorded);
    for (const [s, strategy] of experiment.strategies.entries()) {
      const stream = (replication: number) => streamOf(seed, 1000 + w, s, replication);
      cells.push(runCell(experiment, workload, strategy, values, stream, shard, now_ms));
    }
  }
  const { name, description, confidence, replications } = experiment;
  return { experiment: name, description, seed, confidence, wanted: replications, cells };
}

async function valuesOf(
  workload: Workload,
  random: Xoshiro128,
  recorded: RunOptions["recorded"],
): Promise<Float64Array> {
  return workload.kind === "recording"
    ? recorded(workload.trace)
    : generateValues(workload, random);
}

function runCell(
  { replications, confidence }: Experiment,
  workload: Workload,
  strategy: Strategy,
  values: Float64Array,
  stream: (replication: number) => Xoshiro128,
  shard: Shard,
  now_ms: () => number,
): CellResults {
  const slow =
    strategy.kind === "tail" ? slowFrom(values, strategy.slow_share) : Number.POSITIVE_INFINITY;
  const results: Replication[] = [];
  let warning = "";
  const begun_ms = now_ms();
  for (let i = shard.index; i < replications; i += shard.count) {
    const estimate = estimateTotal(strategy, values, stream(i), slow, confidence);
    const { value, lower, upper, effectiveSize, sampled } = estimate;
    if (estimate.warning !== undefined) warning = estimate.warning;
    const warned = estimate.warning === undefined ? 0 : 1;
    results.push([i, value, lower, upper, effectiveSize, sampled, warned]);
  }
  const elapsed_ns = (now_ms() - begun_ms) * 1e6;
  return {
    strategy: strategy.name,
    workload: workload.name,
    truth: values.reduce((sum, value) => sum + value, 0),
    events: values.length,
    replications: results,
    cost_ns: elapsed_ns / Math.max(1, results.length * values.length),
    warning,
  };
}

/** Equal where shards are of the same experiment, as it was when they ran. */
function whatWasRun({ experiment, seed, confidence, wanted, cells }: ExperimentResults): string {
  const places = cells.map((cell) => [cell.strategy, cell.workload, cell.truth, cell.events]);
  return JSON.stringify([experiment, seed, confidence, wanted, places]);
}

/** Shards of one experiment and seed as one; throws where they do not belong together or one is missing. */
export function mergeResults(shards: readonly ExperimentResults[]): ExperimentResults {
  const [first, ...rest] = shards;
  if (first === undefined) throw new Error("there is nothing to merge");
  for (const shard of rest) {
    if (whatWasRun(shard) !== whatWasRun(first)) {
      throw new Error(
        `shards of ${first.experiment} and ${shard.experiment} do not belong together: name, seed, or cells differ`,
      );
    }
  }
  const cells = first.cells.map((cell, i) => {
    const all = shards.flatMap((shard) => [...shard.cells[i]!.replications]);
    const sorted = all.sort((left, right) => left[0] - right[0]);
    if (sorted.length !== first.wanted || sorted.some(([index], at) => index !== at)) {
      throw new Error(`${cell.strategy} on ${cell.workload}: a shard is missing, or came twice`);
    }
    const warning =
      shards.map((shard) => shard.cells[i]!.warning).find((text) => text !== "") ?? "";
    return { ...cell, replications: sorted, warning };
  });
  return { ...first, cells };
}
