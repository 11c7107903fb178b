/** What an experiment's replications come to: bias, error, coverage, width. */
import { clopperPearsonInterval } from "#core/stats/intervals/clopper_pearson.ts";
import type { CellResults, ExperimentResults } from "./run_experiment.ts";

export interface Cell {
  readonly strategy: string;
  readonly workload: string;
  readonly events: number;
  readonly replications: number;
  /** Part of the intervals that held the truth, and what it is within at 99 %. */
  readonly coverage: number;
  readonly coverage_lower: number;
  readonly coverage_upper: number;
  /** Root mean square error, relative to the truth. */
  readonly nrmse: number;
  /** Mean error in standard errors of the mean: beyond ±5 it is a bias. */
  readonly bias_z: number;
  /** Mean width of the intervals, relative to the truth. */
  readonly width: number;
  readonly effective_size: number;
  readonly kept: number;
  readonly cost_ns: number;
  /** Part of the replications that said their interval cannot be trusted. */
  readonly warned: number;
  /** What they said, where at least half did. */
  readonly warning?: string;
}

export interface Summary {
  readonly experiment: string;
  readonly description: string;
  readonly seed: number;
  readonly confidence: number;
  readonly cells: readonly Cell[];
}

const COVERAGE_CONFIDENCE = 0.99;

function summarizeCell({ replications, truth, warning, ...cell }: CellResults): Cell {
  const n = replications.length;
  const mean = (of: (each: (typeof replications)[number]) => number): number =>
    replications.reduce((sum, each) => sum + of(each), 0) / n;
  const error = mean(([, value]) => value - truth);
  const square = mean(([, value]) => (value - truth) ** 2);
  const spread = Math.sqrt(Math.max(0, square - error * error) / n);
  const covered = replications.filter(([, , lower, upper]) => lower <= truth && truth <= upper);
  const bounds = clopperPearsonInterval(covered.length, n, COVERAGE_CONFIDENCE);
  const warned = mean((each) => each[6]);
  return {
    strategy: cell.strategy,
    workload: cell.workload,
    events: cell.events,
    replications: n,
    coverage: covered.length / n,
    coverage_lower: bounds.lower,
    coverage_upper: bounds.upper,
    nrmse: Math.sqrt(square) / truth,
    bias_z: spread === 0 ? 0 : error / spread,
    width: mean(([, , lower, upper]) => upper - lower) / truth,
    effective_size: mean((each) => each[4]),
    kept: mean((each) => each[5]) / cell.events,
    cost_ns: cell.cost_ns,
    warned,
    ...(warned >= 0.5 ? { warning } : {}),
  };
}

export function summarize({
  experiment,
  description,
  seed,
  confidence,
  cells,
}: ExperimentResults): Summary {
  return { experiment, description, seed, confidence, cells: cells.map(summarizeCell) };
}
