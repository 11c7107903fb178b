/** Runs an experiment, or one shard of it. Every replication has a seed of its own, wherever it runs. */

import { BpfError } from "#core/errors.ts";
import { Xoshiro128 } from "#core/random/xoshiro128.ts";
import { type Interval, replicationOf } from "./decide_replication.ts";
import { BytecodeDecider, type BytecodeParts } from "./decisions/bytecode.ts";
import type { Decider } from "./decisions/decider.ts";
import { KeptEvents } from "./decisions/kept_events.ts";
import { ModelDecider } from "./decisions/model.ts";
import { estimateOf, samplerOf } from "./estimation/sample.ts";
import type { Experiment } from "./experiment.ts";
import { type KnownQuantity, quantitiesOf } from "./quantity.ts";
import type { CellResults, ExperimentResults, Replication } from "./results.ts";
import { type Strategy, samplingConfigOf } from "./strategy.ts";
import { TimelineRecorder } from "./timeline.ts";
import type { Events } from "./workload/events.ts";
import { generateEvents } from "./workload/generate_events.ts";
import type { Workload } from "./workload/schema.ts";

/** Of N shards, shard I runs the replications I, I + N, I + 2N, and so on. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

export interface RunOptions {
  readonly seed: number;
  readonly shard: Shard;
  /** Events of recorded workloads, by the trace's name. */
  readonly recordings: ReadonlyMap<string, Events>;
  /** Needed where the bytecode decides. */
  readonly bytecode?: BytecodeParts | undefined;
  /** The process's clock in milliseconds, where costs are asked for. */
  readonly now_ms?: () => number;
}

/** 32 bits from a seed and places; places in another order give others. */
function mixed(places: readonly number[]): number {
  let word = 0;
  // The seed is mixed as the places are: combined with the first as it is, seed and place could cancel out.
  for (const place of places) {
    word = Math.imul(word ^ (place + 0x9e3779b9), 0x85ebca6b) >>> 0;
    word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35) >>> 0;
  }
  return word;
}

const seedOf = (...places: readonly number[]): bigint =>
  (BigInt(mixed([...places, 1])) << 32n) | BigInt(mixed([...places, 0]));

export async function runExperiment(
  experiment: Experiment,
  options: RunOptions,
): Promise<ExperimentResults> {
  const { seed } = options;
  const cells: CellResults[] = [];
  for (const [w, workload] of experiment.workloads.entries()) {
    const events = eventsOf(workload, new Xoshiro128(mixed([seed, w])), options.recordings);
    const decider = await deciderOf(experiment, events, options.bytecode);
    try {
      for (const [s, strategy] of experiment.strategies.entries()) {
        const seedOfReplication = (index: number) => seedOf(seed, 1000 + w, s, index);
        const cell = { experiment, workload, strategy, events, decider, seedOfReplication };
        cells.push(...runCell(cell, options));
      }
    } finally {
      decider.close();
    }
  }
  const { name, description, confidence, replications, decisions } = experiment;
  return {
    experiment: name,
    description,
    seed,
    confidence,
    decisions,
    wanted: replications,
    cells,
  };
}

function eventsOf(
  workload: Workload,
  random: Xoshiro128,
  recordings: RunOptions["recordings"],
): Events {
  if (workload.kind !== "recording") return generateEvents(workload, random);
  const events = recordings.get(workload.trace);
  if (events !== undefined) return events;
  throw new BpfError(`workload ${workload.name}`, `there is no recording ${workload.trace}`);
}

async function deciderOf(
  { decisions }: Experiment,
  events: Events,
  bytecode: BytecodeParts | undefined,
): Promise<Decider> {
  if (decisions === "model") return new ModelDecider(events);
  if (bytecode !== undefined) return BytecodeDecider.create(bytecode, events);
  throw new BpfError("lab", "the experiment asks for the bytecode, and there is none", {
    hint: "run npm run setup, or ask for decisions: model",
  });
}

interface CellPlan {
  readonly experiment: Experiment;
  readonly workload: Workload;
  readonly strategy: Strategy;
  readonly events: Events;
  readonly decider: Decider;
  readonly seedOfReplication: (index: number) => bigint;
}

/** One cell for each quantity, all from the same replications. */
function runCell(plan: CellPlan, { shard, now_ms }: RunOptions): CellResults[] {
  const { experiment, workload, strategy, events, decider } = plan;
  const decide = replicationOf(decider, samplingConfigOf(strategy, events), events);
  const sampler = samplerOf(strategy, events);
  const known = quantitiesOf(experiment.quantities, events);
  const columns = known.map((each) => new Column(each, experiment.confidence));
  const timeline = TimelineRecorder.for(workload, strategy, events);
  const kept = new KeptEvents(events.count);
  const begun_ms = now_ms?.() ?? 0;
  for (let i = shard.index; i < experiment.replications; i += shard.count) {
    const intervals: Interval[] = [];
    decide(plan.seedOfReplication(i), kept, (interval) => intervals.push(interval));
    timeline?.add(i, intervals, kept);
    const sample = sampler(kept);
    for (const column of columns) column.add(i, sample);
  }
  const { name, kind } = strategy;
  const place = { strategy: name, kind, workload: workload.name, events: events.count };
  const runs = Math.ceil((experiment.replications - shard.index) / shard.count);
  return columns.map((column, at) => ({
    ...place,
    ...column.results(),
    ...(at === 0 && timeline !== undefined ? { timeline: timeline.results() } : {}),
    ...(now_ms === undefined
      ? {}
      : { cost_ns: ((now_ms() - begun_ms) * 1e6) / Math.max(1, runs * events.count) }),
  }));
}

/** JSON knows no infinity. */
const bounded = (bound: number): number | null => (Number.isFinite(bound) ? bound : null);

/** The estimates of one quantity, over the replications. */
class Column {
  readonly #known: KnownQuantity;
  readonly #confidence: number;
  readonly #replications: Replication[] = [];
  #warning = "";

  constructor(known: KnownQuantity, confidence: number) {
    this.#known = known;
    this.#confidence = confidence;
  }

  add(index: number, sample: Parameters<typeof estimateOf>[0]): void {
    const estimate = estimateOf(sample, this.#known.quantity, this.#confidence);
    const { value, lower, upper, effectiveSize, warning } = estimate;
    if (this.#warning === "") this.#warning = warning ?? "";
    const warned = warning === undefined ? 0 : 1;
    const bounds = [bounded(lower), bounded(upper)] as const;
    this.#replications.push([index, value, ...bounds, effectiveSize, sample.size, warned]);
  }

  results(): Pick<CellResults, "quantity" | "truth" | "replications" | "warning"> {
    const { quantity, truth } = this.#known;
    const [replications, warning] = [this.#replications, this.#warning];
    return { quantity: quantity.name, truth, replications, warning };
  }
}
