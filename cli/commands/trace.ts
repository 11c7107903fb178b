/** `tapio-bpf trace import | cut`. */
import type { Command } from "../command.ts";
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
