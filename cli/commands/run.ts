/** `tapio-bpf run`: collectors from hook to sink, ending in a report. */
import { COLLECTORS, type CollectorSpec } from "#core/events/collectors.ts";
import type { Sink } from "#core/pipeline/sink.ts";
import type { Command, CommandInput, OutputFormat } from "../command.ts";
import { integerOption, secondsOption } from "../numbers.ts";
import { catchInterrupt } from "../run/interrupt.ts";
import { runKernel } from "../run/kernel.ts";
import { formatReport, type RunReport } from "../run/report.ts";
import { runSimulated, type SimulatedSource } from "../run/simulated.ts";
import { parseSink } from "../sinks/parse_sink.ts";
import { UsageError } from "../usage_error.ts";

const DEFAULT_COLLECTORS = "tcp,syscall";
const DEFAULT_DURATION_S = 10;
const CPUS_MAX = 64;

function collectorsOption(value: string | boolean | undefined): CollectorSpec[] {
  const names = String(value ?? DEFAULT_COLLECTORS).split(",");
  return [...new Set(names)].map((name) => {
    const spec = COLLECTORS.get(name);
    if (spec !== undefined) return spec;
    const known = [...COLLECTORS.keys()].join(", ");
    throw new UsageError(`--collector ${name}: the collectors are ${known}`);
  });
}

function sourceOption({ options }: CommandInput): SimulatedSource {
  const { trace, workload } = options;
  if (trace !== undefined && workload !== undefined) {
    throw new UsageError("--trace and --workload exclude each other");
  }
  const duration_s = secondsOption("duration", options["duration"]);
  if (typeof trace === "string") return { kind: "trace", path: trace, duration_s };
  return {
    kind: "workload",
    name: String(workload ?? "default"),
    duration_s: duration_s ?? DEFAULT_DURATION_S,
  };
}

async function runWasm(input: CommandInput, sinks: readonly Sink[]): Promise<number> {
  const { options, output } = input;
  const report = await runSimulated({
    collectors: collectorsOption(options["collector"]),
    source: sourceOption(input),
    sinks,
    engine: String(options["engine"] ?? "ubpf"),
    cpus: integerOption("cpus", options["cpus"], [1, CPUS_MAX], 0),
    seed: integerOption("seed", options["seed"], [0, 2 ** 32 - 1], 1),
    preemptionInterval: integerOption("preempt-every", options["preempt-every"], [0, 1e6], 0),
    progress: output === "table" && process.stderr.isTTY === true,
  });
  return printReport(report, output);
}

/** Options that only a simulated machine has. */
const SIMULATION_ONLY = ["trace", "workload", "cpus", "seed", "preempt-every", "engine"];

async function runOnKernel(input: CommandInput, sinks: readonly Sink[]): Promise<number> {
  const { options, output } = input;
  const wrong = SIMULATION_ONLY.find((name) => options[name] !== undefined);
  if (wrong !== undefined) {
    throw new UsageError(`--${wrong}: only the wasm backend has that; leave it out`);
  }
  const interrupt = catchInterrupt();
  try {
    const report = await runKernel({
      collectors: collectorsOption(options["collector"]),
      sinks,
      duration_s: secondsOption("duration", options["duration"]) ?? DEFAULT_DURATION_S,
      signal: interrupt.signal,
    });
    return printReport(report, output);
  } finally {
    interrupt.stop();
  }
}

function printReport(report: RunReport, output: OutputFormat): number {
  console.log(output === "json" ? JSON.stringify(report) : formatReport(report));
  return report.books.residual === 0 ? 0 : 1;
}

export const runCommand: Command = {
  words: ["run"],
  summary: "runs collectors over a recording, a generated workload or a real kernel",
  usage:
    "[--backend wasm|kernel] [--collector tcp,syscall] [--trace FILE | --workload NAME] [--duration SECONDS] " +
    "[--sink ndjson:FILE[,...]] [--cpus N] [--seed N] [--preempt-every N] [-o json|table]",
  options: {
    backend: { type: "string" },
    engine: { type: "string" },
    collector: { type: "string" },
    trace: { type: "string" },
    workload: { type: "string" },
    duration: { type: "string" },
    sink: { type: "string" },
    cpus: { type: "string" },
    seed: { type: "string" },
    "preempt-every": { type: "string" },
  },
  positionals: [0, 0],
  async run(input) {
    const backend = input.options["backend"] ?? "wasm";
    if (backend !== "wasm" && backend !== "kernel") {
      throw new UsageError(`--backend ${backend}: the backends are wasm and kernel`);
    }
    const { sink } = input.options;
    const sinks = typeof sink === "string" ? sink.split(",").map(parseSink) : [];
    try {
      return await (backend === "kernel" ? runOnKernel : runWasm)(input, sinks);
    } finally {
      for (const each of sinks) await each.close();
    }
  },
};
