/** `tapio-bpf lab`: how accurate samples are. */
import { readFileSync, writeFileSync } from "node:fs";
import type { RecordBatch } from "#core/backend.ts";
import { parseYaml } from "#core/config/parse_config.ts";
import { BpfError } from "#core/errors.ts";
import { COLLECTORS } from "#core/events/collectors.ts";
import type { EventSchema } from "#core/events/event_schema.ts";
import { experimentSchema } from "#lab/experiment.ts";
import { reportPage } from "#lab/report_page.ts";
import {
  type ExperimentResults,
  mergeResults,
  runExperiment,
  type Shard,
} from "#lab/run_experiment.ts";
import { type Summary, summarize } from "#lab/summarize.ts";
import type { Command, OutputFormat } from "../command.ts";
import { integerOption } from "../numbers.ts";
import { runSimulated } from "../run/simulated.ts";
import { formatTable } from "../table.ts";
import { UsageError } from "../usage_error.ts";

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new BpfError(`read ${path}`, (cause as Error).message, { hint: "name a file", cause });
  }
}

/** Latencies of all system calls of a recording, through the collector's own bytecode. */
async function recordedLatencies(trace: string): Promise<Float64Array> {
  const values: number[] = [];
  const sink = {
    name: "latencies",
    write(batch: RecordBatch, { types, header }: EventSchema): void {
      for (let i = 0; i < batch.count; i++) {
        const type = types.get(header.type(batch.view, batch.offsets[i]!))!;
        const event = type.codec.decode(batch.buffer, batch.offsets[i]!) as { latency_ns: bigint };
        values.push(Number(event.latency_ns));
      }
    },
    flush: async () => {},
    close: async () => {},
  };
  await runSimulated({
    collectors: [COLLECTORS.get("syscall")!],
    source: { kind: "trace", path: trace, duration_s: undefined },
    sinks: [sink],
    engine: "aot",
    ...{ cpus: 0, seed: 1, preemptionInterval: 0, progress: false },
  });
  return Float64Array.from(values);
}

function shardOption(given: string | boolean | undefined): Shard {
  if (typeof given !== "string") return { index: 0, count: 1 };
  const [, index, count] = /^(\d+)\/(\d+)$/.exec(given) ?? [];
  if (count !== undefined && Number(index) < Number(count)) {
    return { index: Number(index), count: Number(count) };
  }
  throw new UsageError(`--shard ${given}: give I/N with I from 0 to N - 1 (0/4)`);
}

function show(summary: Summary, output: OutputFormat): void {
  if (output === "json") {
    console.log(JSON.stringify(summary));
    return;
  }
  const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;
  const head = ["strategy", "workload", "kept", "coverage", "NRMSE", "bias z", "width", "warned"];
  const rows = summary.cells.map((cell) => [
    cell.strategy,
    cell.workload,
    percent(cell.kept),
    percent(cell.coverage),
    percent(cell.nrmse),
    cell.bias_z.toFixed(2),
    percent(cell.width),
    percent(cell.warned),
  ]);
  console.log(`${summary.experiment}, seed ${summary.seed}\n${formatTable([head, ...rows], "")}`);
}

export const labRunCommand: Command = {
  words: ["lab", "run"],
  summary: "runs an experiment: how accurate are samples of a workload by a strategy",
  usage: "EXPERIMENT.yaml [--seed N] [--shard I/N --output FILE] [-o json|table]",
  options: {
    seed: { type: "string" },
    shard: { type: "string" },
    output: { type: "string" },
  },
  positionals: [1, 1],
  async run({ options, positionals, output }) {
    const path = positionals[0]!;
    const seed = integerOption("seed", options["seed"], [0, 2 ** 32 - 1], 1);
    const shard = shardOption(options["shard"]);
    const file = options["output"];
    if (shard.count > 1 && typeof file !== "string") {
      throw new UsageError("lab run --shard: give --output FILE, for lab merge");
    }
    const { value: experiment } = parseYaml(read(path), path, experimentSchema);
    const settings = { seed, shard, recorded: recordedLatencies, now_ms: () => performance.now() };
    const results = await runExperiment(experiment, settings);
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
    writeFileSync(file, reportPage(summarize(readResults(positionals[0]!))));
    return 0;
  },
};
