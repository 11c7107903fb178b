/** `tapio-bpf run`: collectors from hook to sink, ending in a report. */

import type { Config } from "#core/config/config.ts";
import { COLLECTORS, type CollectorSpec } from "#core/events/collectors.ts";
import { balanced } from "#core/pipeline/books.ts";
import type { Sink } from "#core/pipeline/sink.ts";
import { CoverageCollector } from "#wasm/coverage/collector.ts";
import type { Command, CommandInput } from "../command.ts";
import { loadConfig } from "../config/load_config.ts";
import { engineOption, modeOption } from "../engine_option.ts";
import { integerOption, secondsOption } from "../numbers.ts";
import { catchInterrupt } from "../run/interrupt.ts";
import { runKernel } from "../run/kernel.ts";
import { formatReport, type RunReport } from "../run/report.ts";
import { runSimulated, type SimulatedSource } from "../run/simulated.ts";
import { openSinks, sinkTargets, writesStandardOutput } from "../sinks/parse_sink.ts";
import type { Address } from "../telemetry/metrics_server.ts";
import { UsageError } from "../usage_error.ts";
import { writeCoverage } from "../write_coverage.ts";

const DEFAULT_DURATION_S = 10;
const CPUS_MAX = 64;

type Options = CommandInput["options"];

/** A run that others are to look at lasts until it is stopped, at the speed of the clock. */
const SERVING = ["config", "socket", "metrics"];

function serves(options: Options): boolean {
  return SERVING.some((name) => options[name] !== undefined);
}

function collectorsOption(options: Options, config: Config | undefined): CollectorSpec[] {
  const given = options["collector"];
  const configured = config?.collectors ?? [...COLLECTORS.keys()];
  const names = given === undefined ? configured : String(given).split(",");
  return [...new Set(names)].map((name) => {
    const spec = COLLECTORS.get(name);
    if (spec !== undefined) return spec;
    const known = [...COLLECTORS.keys()].join(", ");
    throw new UsageError(`--collector ${name}: the collectors are ${known}`);
  });
}

function durationOption(options: Options): number | undefined {
  const given = secondsOption("duration", options["duration"]);
  return given ?? (serves(options) ? undefined : DEFAULT_DURATION_S);
}

function sourceOption(options: Options): SimulatedSource {
  const { trace, workload } = options;
  if (trace !== undefined && workload !== undefined) {
    throw new UsageError("--trace and --workload exclude each other");
  }
  if (typeof trace === "string") {
    const duration_s = secondsOption("duration", options["duration"]);
    return { kind: "trace", path: trace, duration_s };
  }
  const name = String(workload ?? "default");
  return { kind: "workload", name, duration_s: durationOption(options) };
}

/** Undefined: as fast as it goes. */
function paceOption(options: Options): number | undefined {
  const given = options["pace"];
  if (given === undefined) return serves(options) ? 1 : undefined;
  if (given === "max") return undefined;
  const pace = Number(given);
  if (String(given).trim() !== "" && Number.isFinite(pace) && pace > 0) return pace;
  throw new UsageError(`--pace ${given}: give a number above 0 (1 is real time), or max`);
}

/** Only a port means loopback: metrics are nobody else's business unless somebody says so. */
function metricsOption(given: string | boolean | undefined): Address | undefined {
  if (typeof given !== "string") return undefined;
  const [, host = "127.0.0.1", port] = /^(?:(.+):)?(\d{1,5})$/.exec(given) ?? [];
  if (port === undefined || Number(port) > 65_535) {
    throw new UsageError(`--metrics ${given}: give HOST:PORT or PORT (127.0.0.1:9464)`);
  }
  return { host: host.replace(/^\[(.*)\]$/, "$1"), port: Number(port) };
}

/** A run whose options are known to be good. */
type Run = (sinks: readonly Sink[], signal: AbortSignal) => Promise<RunReport>;

/** What both backends take. */
function commonSettings(options: Options) {
  const { config: configPath, socket: socketPath } = options;
  const path = typeof configPath === "string" ? configPath : undefined;
  const config = path === undefined ? undefined : loadConfig(path).config;
  return {
    collectors: collectorsOption(options, config),
    ...(config === undefined ? {} : { config }),
    services: {
      configPath: path,
      socketPath: typeof socketPath === "string" ? socketPath : undefined,
      metrics: metricsOption(options["metrics"]),
    },
  };
}

function simulatedRun({ options, output }: CommandInput): Run {
  if (options["include-self"] !== undefined) {
    throw new UsageError("--include-self: only the kernel backend has that; leave it out");
  }
  const { coverage: coveragePath } = options;
  const coverage = typeof coveragePath === "string" ? new CoverageCollector() : undefined;
  const engine = engineOption(options["engine"]);
  const settings = {
    ...commonSettings(options),
    coverage,
    source: sourceOption(options),
    engine,
    mode: modeOption(options["mode"], engine),
    cpus: integerOption("cpus", options["cpus"], [1, CPUS_MAX], 0),
    seed: integerOption("seed", options["seed"], [0, 2 ** 32 - 1], 1),
    preemptionInterval: integerOption("preempt-every", options["preempt-every"], [0, 1e6], 0),
    pace: paceOption(options),
    progress: output === "table" && process.stderr.isTTY === true,
  };
  return async (sinks, signal) => {
    try {
      return await runSimulated({ ...settings, sinks, signal });
    } finally {
      // What ran before a fault is what one wants to see.
      if (coverage !== undefined) writeCoverage(String(coveragePath), coverage);
    }
  };
}

/** Options that only a simulated machine has. */
const SIMULATION_ONLY = [
  "trace",
  "workload",
  "cpus",
  "seed",
  "preempt-every",
  "engine",
  "mode",
  "pace",
  "coverage",
];

function kernelRun({ options }: CommandInput): Run {
  const wrong = SIMULATION_ONLY.find((name) => options[name] !== undefined);
  if (wrong !== undefined) {
    throw new UsageError(`--${wrong}: only the wasm backend has that; leave it out`);
  }
  const settings = {
    ...commonSettings(options),
    duration_s: durationOption(options),
    includeSelf: options["include-self"] === true,
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
    "[--backend wasm|kernel] [--collector tcp,syscall] [--trace FILE | --workload NAME] [--duration SECONDS] [--include-self] " +
    "[--config FILE] [--socket PATH] [--metrics HOST:PORT] [--sink ndjson:FILE[,...]] [--engine aot|ubpf] [--mode fast|checked|paranoid] [--pace FACTOR|max] " +
    "[--cpus N] [--seed N] [--preempt-every N] [--coverage FILE] [-o json|table]",
  options: {
    backend: { type: "string" },
    engine: { type: "string" },
    mode: { type: "string" },
    collector: { type: "string" },
    trace: { type: "string" },
    workload: { type: "string" },
    duration: { type: "string" },
    "include-self": { type: "boolean" },
    config: { type: "string" },
    socket: { type: "string" },
    metrics: { type: "string" },
    sink: { type: "string", multiple: true },
    pace: { type: "string" },
    coverage: { type: "string" },
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
