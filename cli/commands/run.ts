/** `tapio-bpf run`: collectors from hook to sink, ending in a report. */

import { COLLECTORS, type CollectorSpec } from "#core/events/collectors.ts";
import { balanced } from "#core/pipeline/books.ts";
import type { Sink } from "#core/pipeline/sink.ts";
import type { Command, CommandInput } from "../command.ts";
import { engineOption } from "../engine_option.ts";
import { integerOption, secondsOption } from "../numbers.ts";
import { catchInterrupt } from "../run/interrupt.ts";
import { runKernel } from "../run/kernel.ts";
import { formatReport, type RunReport } from "../run/report.ts";
import { runSimulated, type SimulatedSource } from "../run/simulated.ts";
import { openSinks, sinkTargets, writesStandardOutput } from "../sinks/parse_sink.ts";
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

/** A run whose options are known to be good. */
type Run = (sinks: readonly Sink[], signal: AbortSignal) => Promise<RunReport>;

function simulatedRun(input: CommandInput): Run {
  const { options, output } = input;
  const settings = {
    collectors: collectorsOption(options["collector"]),
    source: sourceOption(input),
    engine: engineOption(options["engine"]),
    cpus: integerOption("cpus", options["cpus"], [1, CPUS_MAX], 0),
    seed: integerOption("seed", options["seed"], [0, 2 ** 32 - 1], 1),
    preemptionInterval: integerOption("preempt-every", options["preempt-every"], [0, 1e6], 0),
    progress: output === "table" && process.stderr.isTTY === true,
  };
  return (sinks, signal) => runSimulated({ ...settings, sinks, signal });
}

/** Options that only a simulated machine has. */
const SIMULATION_ONLY = ["trace", "workload", "cpus", "seed", "preempt-every", "engine"];

function kernelRun({ options }: CommandInput): Run {
  const wrong = SIMULATION_ONLY.find((name) => options[name] !== undefined);
  if (wrong !== undefined) {
    throw new UsageError(`--${wrong}: only the wasm backend has that; leave it out`);
  }
  const settings = {
    collectors: collectorsOption(options["collector"]),
    duration_s: secondsOption("duration", options["duration"]) ?? DEFAULT_DURATION_S,
  };
  return (sinks, signal) => runKernel({ ...settings, sinks, signal });
}

function backendOption(input: CommandInput): Run {
  const backend = input.options["backend"] ?? "wasm";
  if (backend === "wasm") return simulatedRun(input);
  if (backend === "kernel") return kernelRun(input);
  throw new UsageError(`--backend ${backend}: the backends are wasm and kernel`);
}

function sinkOption({ options, output }: CommandInput): readonly string[] {
  const { sink, trace } = options;
  if (typeof sink !== "string") return [];
  const targets = sinkTargets(sink, typeof trace === "string" ? trace : undefined);
  if (writesStandardOutput(targets) && output === "json") {
    throw new UsageError("--sink ndjson:- and -o json both want standard output; give one a file");
  }
  return targets;
}

export const runCommand: Command = {
  words: ["run"],
  summary: "runs collectors over a recording, a generated workload or a real kernel",
  usage:
    "[--backend wasm|kernel] [--collector tcp,syscall] [--trace FILE | --workload NAME] [--duration SECONDS] " +
    "[--engine aot|ubpf] [--sink ndjson:FILE[,...]] [--cpus N] [--seed N] [--preempt-every N] [-o json|table]",
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
    const run = backendOption(input);
    const targets = sinkOption(input);
    const sinks = await openSinks(targets);
    const interrupt = catchInterrupt();
    try {
      const report = await run(sinks, interrupt.signal);
      if (input.output === "json") console.log(JSON.stringify(report));
      else if (writesStandardOutput(targets)) console.error(formatReport(report));
      else console.log(formatReport(report));
      return balanced(report.programs) ? 0 : 1;
    } finally {
      interrupt.stop();
      for (const sink of sinks) await sink.close();
    }
  },
};
