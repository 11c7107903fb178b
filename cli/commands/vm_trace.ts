/** `tapio-bpf vm trace`: what a program does, by source line and instruction. */
import type { Config } from "#core/config/config.ts";
import { CoverageCollector } from "#wasm/coverage/collector.ts";
import type { TraceListener } from "#wasm/tracing/tracer.ts";
import { inTurn, limited } from "#wasm/tracing/wrap_listener.ts";
import type { Command, CommandInput } from "../command.ts";
import { loadConfig } from "../config/load_config.ts";
import { integerOption } from "../numbers.ts";
import { UsageError } from "../usage_error.ts";
import { contextBytes } from "../vm_object.ts";
import { JsonTrace } from "../vm_trace/json_trace.ts";
import { LineInput } from "../vm_trace/line_input.ts";
import { checkLines } from "../vm_trace/missing_lines.ts";
import { Stepper } from "../vm_trace/stepper.ts";
import { TextTrace } from "../vm_trace/text_trace.ts";
import { TraceEnd, type TraceInput, type TraceSession, traceRuns } from "../vm_trace/traced_run.ts";
import { writeCoverage } from "../write_coverage.ts";

const LIMIT_DEFAULT = 10_000;
const COUNT_MAX = 1e9;
const PROMPT = "(step) ";

type Options = CommandInput["options"];

function text(options: Options, name: string): string | undefined {
  const value = options[name];
  return typeof value === "string" ? value : undefined;
}

function inputOption(options: Options): TraceInput {
  const path = text(options, "trace");
  const context = text(options, "context");
  if (path === undefined) {
    const cpu = integerOption("cpu", options["cpu"], [0, 1], 0);
    const bytes = context === undefined ? undefined : contextBytes(context);
    return { kind: "context", bytes, cpu };
  }
  const other = ["context", "cpu"].find((name) => options[name] !== undefined);
  if (other === undefined) return { kind: "events", path };
  throw new UsageError(`--trace and --${other} exclude each other`);
}

function configOption(options: Options): Config | undefined {
  const path = text(options, "config");
  return path === undefined ? undefined : loadConfig(path).config;
}

const write = (line: string): void => console.log(line);
const warn = (message: string): void => console.error(`tapio-bpf: ${message}`);

function newStepper(session: TraceSession): Stepper {
  const input = new LineInput(process.stdin.fd);
  const ask = (): string | undefined => {
    process.stdout.write(PROMPT);
    return input.next();
  };
  return new Stepper(session, { write, ask });
}

function printer({ options, output }: CommandInput): (session: TraceSession) => TraceListener {
  const linesOnly = options["lines"] === true;
  if (options["step"] === true) {
    const other = ["lines", "limit"].find((name) => options[name] !== undefined);
    if (other !== undefined) throw new UsageError(`--step and --${other} exclude each other`);
    if (output === "json") throw new UsageError("--step speaks with people; leave out -o json");
    return newStepper;
  }
  const limit = integerOption("limit", options["limit"], [1, COUNT_MAX], LIMIT_DEFAULT);
  const enough = (): never => {
    warn(`stopped after ${limit} instructions; --limit N shows more, --at N one run`);
    throw new TraceEnd();
  };
  const Printer = output === "json" ? JsonTrace : TextTrace;
  return (session) => limited(limit, enough, new Printer(session, { write, linesOnly }));
}

export const vmTraceCommand: Command = {
  words: ["vm", "trace"],
  summary: "shows what a program does on the simulated machine, by source line and instruction",
  usage:
    "COLLECTOR|OBJECT [--trace FILE | --context HEX [--cpu N]] [--program NAME] [--at N] [--limit N] " +
    "[--lines | --step] [--config FILE] [--coverage FILE] [-o json|table]",
  options: {
    trace: { type: "string" },
    context: { type: "string" },
    cpu: { type: "string" },
    program: { type: "string" },
    at: { type: "string" },
    limit: { type: "string" },
    lines: { type: "boolean" },
    step: { type: "boolean" },
    config: { type: "string" },
    coverage: { type: "string" },
  },
  positionals: [1, 1],
  async run(input) {
    const { options, positionals } = input;
    const listener = printer(input);
    const lines = checkLines(options["lines"] === true, warn);
    const collector = options["coverage"] === undefined ? undefined : new CoverageCollector();
    const traced = traceRuns({
      object: positionals[0]!,
      program: text(options, "program"),
      input: inputOption(options),
      at:
        options["at"] === undefined
          ? undefined
          : integerOption("at", options["at"], [1, COUNT_MAX], 1),
      config: configOption(options),
      coverage: collector,
      listener: (session) => inTurn(lines, listener(session)),
    });
    try {
      await traced;
    } finally {
      // What ran before a fault is what one wants to see.
      if (collector !== undefined) writeCoverage(String(options["coverage"]), collector);
    }
    return 0;
  },
};
