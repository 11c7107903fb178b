/** `tapio-bpf trace import | cut`. */
import type { Command } from "../command.ts";
import { secondsOption } from "../numbers.ts";
import { traceCut } from "../trace_cut.ts";
import { traceImport } from "../trace_import.ts";
import { UsageError } from "../usage_error.ts";

function outputOption(value: string | boolean | undefined, usage: string): string {
  if (typeof value === "string" && value !== "") return value;
  throw new UsageError(`--output FILE is missing; usage: tapio-bpf ${usage}`);
}

const log = (line: string): void => console.error(line);

export const traceImportCommand: Command = {
  words: ["trace", "import"],
  summary: "turns a recording (TSV, plain or .zst) into a trace that run --trace replays",
  usage: "FILE --output FILE [-o json|table]",
  options: { output: { type: "string" } },
  positionals: [1, 1],
  async run({ options, positionals, output }) {
    const target = outputOption(options["output"], "trace import FILE --output FILE");
    const summary = await traceImport({ input: positionals[0]!, output: target, log });
    console.log(JSON.stringify(summary, null, output === "json" ? 0 : 2));
    return 0;
  },
};

export const traceCutCommand: Command = {
  words: ["trace", "cut"],
  summary: "cuts a stretch of time out of a trace",
  usage: "FILE --output FILE [--from SECONDS] [--duration SECONDS] [-o json|table]",
  options: {
    output: { type: "string" },
    from: { type: "string" },
    duration: { type: "string" },
  },
  positionals: [1, 1],
  async run({ options, positionals, output }) {
    const target = outputOption(options["output"], "trace cut FILE --output FILE");
    const from_s = secondsOption("from", options["from"], 0);
    const duration_s = secondsOption("duration", options["duration"]);
    const summary = await traceCut({
      input: positionals[0]!,
      output: target,
      ...(from_s === undefined ? {} : { from_s }),
      ...(duration_s === undefined ? {} : { duration_s }),
    });
    console.log(JSON.stringify(summary, null, output === "json" ? 0 : 2));
    return 0;
  },
};
