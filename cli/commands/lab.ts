/** `tapio-bpf lab`: how accurate samples are. */
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { parseYaml } from "#core/config/parse_config.ts";
import { BpfError } from "#core/errors.ts";
import type { BytecodeParts } from "#lab/decisions/bytecode.ts";
import { DECISIONS, type Experiment, experimentSchema } from "#lab/experiment.ts";
import { reportPage } from "#lab/report_page.ts";
import { type ExperimentResults, mergeResults } from "#lab/results.ts";
import { runExperiment, type Shard } from "#lab/run_experiment.ts";
import { runInWorkers, usefulWorkers } from "#lab/run_in_workers.ts";
import { type Summary, summarize } from "#lab/summarize.ts";
import type { Events } from "#lab/workload/events.ts";
import { readArtifact } from "../artifacts.ts";
import type { Command, OutputFormat } from "../command.ts";
import { recordedEvents } from "../lab/recorded_events.ts";
import { integerOption } from "../numbers.ts";
import { formatTable } from "../table.ts";
import { UsageError } from "../usage_error.ts";

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new BpfError(`read ${path}`, (cause as Error).message, { hint: "name a file", cause });
  }
}

function shardOption(given: string | boolean | undefined): Shard {
  if (typeof given !== "string") return { index: 0, count: 1 };
  const [, index, count] = /^(\d+)\/(\d+)$/.exec(given) ?? [];
  if (count !== undefined && Number(index) < Number(count)) {
    return { index: Number(index), count: Number(count) };
  }
  throw new UsageError(`--shard ${given}: give I/N with I from 0 to N - 1 (0/4)`);
}

/** `--decisions` replaces what the experiment says. */
function decisionsOption(experiment: Experiment, given: unknown): Experiment {
  if (given === undefined) return experiment;
  const decisions = DECISIONS.find((each) => each === given);
  if (decisions !== undefined) return { ...experiment, decisions };
  throw new UsageError(`--decisions ${given}: give ${DECISIONS.join(" or ")}`);
}

async function recordingsOf({ workloads }: Experiment): Promise<Map<string, Events>> {
  const recordings = new Map<string, Events>();
  for (const workload of workloads) {
    if (workload.kind !== "recording" || recordings.has(workload.trace)) continue;
    recordings.set(workload.trace, await recordedEvents(workload.trace));
  }
  return recordings;
}

function bytecodeOf({ decisions }: Experiment): BytecodeParts | undefined {
  if (decisions !== "bytecode") return undefined;
  return {
    runtime: readArtifact("wasm/runtime.wasm"),
    kernelTypes: readArtifact("wasm/kernel_types.bpf.o"),
    object: readArtifact("lab/decide_batch.bpf.o"),
  };
}

function show(summary: Summary, output: OutputFormat): void {
  if (output === "json") {
    console.log(JSON.stringify(summary));
    return;
  }
  const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;
  const head = [
    "strategy",
    "workload",
    "quantity",
    "kept",
    "coverage",
    "NRMSE",
    "bias z",
    "width",
    "warned",
  ];
  const rows = summary.cells.map((cell) => [
    cell.strategy,
    cell.workload,
    cell.quantity,
    percent(cell.kept),
    percent(cell.coverage),
    percent(cell.nrmse),
    cell.bias_z.toFixed(2),
    cell.width === null ? "no end" : percent(cell.width),
    percent(cell.warned),
  ]);
  console.log(`${summary.experiment}, seed ${summary.seed}\n${formatTable([head, ...rows], "")}`);
}

export const labRunCommand: Command = {
  words: ["lab", "run"],
  summary: "runs an experiment: how accurate are samples of a workload by a strategy",
  usage:
    "EXPERIMENT.yaml [--seed N] [--workers N] [--decisions model|bytecode] [--costs] [--shard I/N] [--output FILE] [-o json|table]",
  options: {
    workers: { type: "string" },
    decisions: { type: "string" },
    costs: { type: "boolean" },
    seed: { type: "string" },
    shard: { type: "string" },
    output: { type: "string" },
  },
  positionals: [1, 1],
  async run({ options, positionals, output }) {
    const path = positionals[0]!;
    const seed = integerOption("seed", options["seed"], [0, 2 ** 32 - 1], 1);
    const shard = shardOption(options["shard"]);
    const cores = integerOption("workers", options["workers"], [1, 1024], availableParallelism());
    const file = options["output"];
    if (shard.count > 1 && typeof file !== "string") {
      throw new UsageError("lab run --shard: give --output FILE, for lab merge");
    }
    const { value } = parseYaml(read(path), path, experimentSchema);
    const experiment = decisionsOption(value, options["decisions"]);
    const recordings = await recordingsOf(experiment);
    const work = { seed, shard, recordings, bytecode: bytecodeOf(experiment) };
    const results =
      options["costs"] === true
        ? await runExperiment(experiment, { ...work, now_ms: () => performance.now() })
        : await runInWorkers(experiment, work, usefulWorkers(experiment, work, cores));
    if (typeof file === "string") writeFileSync(file, JSON.stringify(results));
    show(summarize(results), output);
    return 0;
  },
};

function readResults(path: string): ExperimentResults {
  try {
    return JSON.parse(read(path)) as ExperimentResults;
  } catch (cause) {
    if (cause instanceof BpfError) throw cause;
    throw new BpfError(`read ${path}`, "is no JSON document", {
      hint: "give what lab run --output wrote",
      cause,
    });
  }
}

export const labMergeCommand: Command = {
  words: ["lab", "merge"],
  summary: "puts the shards of an experiment together, exactly",
  usage: "SHARD... [--output FILE] [-o json|table]",
  options: { output: { type: "string" } },
  positionals: [1, 10_000],
  async run({ options, positionals, output }) {
    const merged = mergeResults(positionals.map(readResults));
    const { output: file } = options;
    if (typeof file === "string") writeFileSync(file, JSON.stringify(merged));
    show(summarize(merged), output);
    return 0;
  },
};

export const labReportCommand: Command = {
  words: ["lab", "report"],
  summary: "makes a page with plots of an experiment's results",
  usage: "RESULTS --output FILE.html",
  options: { output: { type: "string" } },
  positionals: [1, 1],
  async run({ options, positionals }) {
    const file = options["output"];
    if (typeof file !== "string") throw new UsageError("lab report: give --output FILE.html");
    writeFileSync(file, reportPage(readResults(positionals[0]!)));
    return 0;
  },
};
