/**
 * An experiment on all cores: each worker thread runs a shard of the shard. Since every replication has a seed of its
 * own, the results do not depend on how many there are. The only file of the lab that uses a Node built-in; a worker
 * runs this same file.
 */
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { BpfError } from "#core/errors.ts";
import type { Experiment } from "./experiment.ts";
import { type ExperimentResults, joinResults } from "./results.ts";
import { type RunOptions, runExperiment } from "./run_experiment.ts";
import { expectedEvents } from "./workload/arrivals.ts";

/** Decisions that take about as long as a thread takes to start. */
const DECISIONS_OF_A_START = 20_000_000;

interface LabTask {
  readonly task: "lab";
  readonly experiment: Experiment;
  readonly options: RunOptions;
}

/** What a worker answers: an error's class does not survive the way between threads. */
type Answer =
  | { readonly results: ExperimentResults }
  | { readonly operation: string; readonly detail: string };

/** Up to `cores`, but not so many that starting them takes longer than the work. */
export function usefulWorkers(
  { workloads, strategies, replications }: Experiment,
  { recordings, shard }: RunOptions,
  cores: number,
): number {
  const events = workloads.map((workload) =>
    workload.kind === "recording"
      ? recordings.get(workload.trace)!.count
      : (workload.events ?? expectedEvents(workload.load!)),
  );
  const runs = (strategies.length * replications) / shard.count;
  const decisions = runs * events.reduce((sum, each) => sum + each, 0);
  return Math.min(cores, Math.max(1, Math.round(decisions / DECISIONS_OF_A_START)));
}

/** `workers` threads at most; with one, the caller's own thread does all. */
export async function runInWorkers(
  experiment: Experiment,
  options: RunOptions,
  workers: number,
): Promise<ExperimentResults> {
  const { shard } = options;
  const own = Math.ceil((experiment.replications - shard.index) / shard.count);
  const count = Math.min(workers, own);
  if (count <= 1) return runExperiment(experiment, options);
  const parts = Array.from({ length: count }, (_, i) => {
    const part = { index: shard.index + i * shard.count, count: count * shard.count };
    return runInWorker(experiment, { ...options, shard: part });
  });
  return joinResults(await Promise.all(parts));
}

function runInWorker(experiment: Experiment, options: RunOptions): Promise<ExperimentResults> {
  const task: LabTask = { task: "lab", experiment, options };
  const worker = new Worker(new URL(import.meta.url), { workerData: task });
  return new Promise((resolve, reject) => {
    worker.once("message", (answer: Answer) => {
      if ("results" in answer) resolve(answer.results);
      else reject(new BpfError(answer.operation, answer.detail));
    });
    worker.once("error", reject);
    worker.once("exit", (code) => reject(new Error(`a worker of the lab ended with ${code}`)));
  });
}

async function answer({ experiment, options }: LabTask): Promise<Answer> {
  try {
    return { results: await runExperiment(experiment, options) };
  } catch (error) {
    if (!(error instanceof BpfError)) throw error;
    return { operation: error.operation, detail: error.message.slice(error.operation.length + 2) };
  }
}

if (!isMainThread && (workerData as Partial<LabTask> | null)?.task === "lab") {
  parentPort!.postMessage(await answer(workerData as LabTask));
}
