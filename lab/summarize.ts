/** What an experiment's replications come to: bias, error, coverage, width. */
import { clopperPearsonInterval } from "#core/stats/intervals/clopper_pearson.ts";
import { type Control, controlOf } from "./control.ts";
import type { CellResults, ExperimentResults } from "./results.ts";

export interface Cell {
  readonly strategy: string;
  /** Of the strategy: uniform, tail, bottom_k. */
  readonly kind: string;
  readonly workload: string;
  /** What is estimated: total, mean, total of a type. */
  readonly quantity: string;
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
  /** Mean width of the intervals, relative to the truth; null where one is without end. */
  readonly width: number | null;
  readonly effective_size: number;
  readonly kept: number;
  /** Only where it was measured. */
  readonly cost_ns?: number;
  /** Of adaptive strategies under a load that changes. */
  readonly control?: Control;
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
  /** Who decided: model or bytecode. */
  readonly decisions: string;
  readonly cells: readonly Cell[];
}

const COVERAGE_CONFIDENCE = 0.99;
/** What is known exactly differs from the truth by rounding, relative to it. */
const ROUNDING = 1e-12;

function summarizeCell({ replications, truth, warning, ...cell }: CellResults): Cell {
  const n = replications.length;
  const mean = (of: (each: (typeof replications)[number]) => number): number =>
    replications.reduce((sum, each) => sum + of(each), 0) / n;
  const error = mean(([, value]) => value - truth);
  const square = mean(([, value]) => (value - truth) ** 2);
  const spread = Math.sqrt(Math.max(0, square - error * error) / n);
  const rounding = ROUNDING * Math.abs(truth);
  const covered = replications.filter(
    ([, , lower, upper]) =>
      (lower === null || lower - rounding <= truth) &&
      (upper === null || truth <= upper + rounding),
  );
  const bounds = clopperPearsonInterval(covered.length, n, COVERAGE_CONFIDENCE);
  const warned = mean((each) => each[6]);
  const control = cell.timeline && controlOf(cell.timeline);
  return {
    strategy: cell.strategy,
    kind: cell.kind,
    workload: cell.workload,
    quantity: cell.quantity,
    events: cell.events,
    replications: n,
    coverage: covered.length / n,
    coverage_lower: bounds.lower,
    coverage_upper: bounds.upper,
    nrmse: Math.sqrt(square) / truth,
    bias_z: Math.abs(error) <= rounding ? 0 : error / Math.max(spread, rounding),
    width: replications.some(([, , lower, upper]) => lower === null || upper === null)
      ? null
      : mean(([, , lower, upper]) => upper! - lower!) / truth,
    effective_size: mean((each) => each[4]),
    kept: mean((each) => each[5]) / cell.events,
    warned,
    ...(cell.cost_ns === undefined ? {} : { cost_ns: cell.cost_ns }),
    ...(control === undefined ? {} : { control }),
    ...(warned >= 0.5 ? { warning } : {}),
  };
}

export function summarize({ cells, wanted: _, ...experiment }: ExperimentResults): Summary {
  return { ...experiment, cells: cells.map(summarizeCell) };
}
