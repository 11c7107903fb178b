/**
 * The `tapio-bpf` command: finds the command, parses its options, turns errors into one line.
 * Exit codes: 0 ok, 1 failed, 2 usage.
 */
import { parseArgs } from "node:util";
import { BpfError } from "#core/errors.ts";
import type { Command, CommandInput, OutputFormat } from "./command.ts";
import { batchCatCommand } from "./commands/batch.ts";
import { benchCommand } from "./commands/bench.ts";
import { checkCommand } from "./commands/check.ts";
import { reloadCommand, stopCommand } from "./commands/control.ts";
import { doctorCommand } from "./commands/doctor.ts";
import {
  filterAddCommand,
  filterClearCommand,
  filterListCommand,
  filterRemoveCommand,
  filterReplaceCommand,
} from "./commands/filter.ts";
import { labMergeCommand, labReportCommand, labRunCommand } from "./commands/lab.ts";
import { limitClearCommand, limitSetCommand, limitShowCommand } from "./commands/limit.ts";
import { recordCommand } from "./commands/record.ts";
import { replayCommand } from "./commands/replay.ts";
import { runCommand } from "./commands/run.ts";
import { sampleSetCommand, sampleShowCommand } from "./commands/sample.ts";
import { schemaCommand } from "./commands/schema.ts";
import { explainCommand, statsCommand } from "./commands/stats.ts";
import { topCommand } from "./commands/top.ts";
import { traceCutCommand, traceImportCommand } from "./commands/trace.ts";
import { vmExecCommand } from "./commands/vm_exec.ts";
import { vmRunCommand } from "./commands/vm_run.ts";
import { vmTraceCommand } from "./commands/vm_trace.ts";
import { UsageError } from "./usage_error.ts";

const COMMANDS: readonly Command[] = [
  runCommand,
  replayCommand,
  recordCommand,
  statsCommand,
  topCommand,
  explainCommand,
  filterAddCommand,
  filterRemoveCommand,
  filterListCommand,
  filterReplaceCommand,
  filterClearCommand,
  limitSetCommand,
  limitShowCommand,
  limitClearCommand,
  sampleSetCommand,
  sampleShowCommand,
  reloadCommand,
  stopCommand,
  checkCommand,
  schemaCommand,
  traceImportCommand,
  traceCutCommand,
  batchCatCommand,
  vmExecCommand,
  vmRunCommand,
  vmTraceCommand,
  benchCommand,
  labRunCommand,
  labMergeCommand,
  labReportCommand,
  doctorCommand,
];

/** `-o` is the format; `--output` is left to commands that write a file. */
const COMMON = {
  format: { type: "string", short: "o" },
  help: { type: "boolean", short: "h" },
} as const;

function usageLine(command: Command): string {
  return `tapio-bpf ${command.words.join(" ")} ${command.usage}`.trimEnd();
}

function overview(): string {
  const width = Math.max(...COMMANDS.map((command) => command.words.join(" ").length));
  const rows = COMMANDS.map((c) => `  ${c.words.join(" ").padEnd(width)}  ${c.summary}`);
  return ["usage: tapio-bpf COMMAND [options]", "", ...rows, "", "COMMAND --help says more."].join(
    "\n",
  );
}

function findCommand(args: readonly string[]): Command {
  const command = COMMANDS.find(({ words }) => words.every((word, i) => args[i] === word));
  if (command !== undefined) return command;
  const group = COMMANDS.filter(({ words }) => words.length > 1 && words[0] === args[0]);
  if (group.length > 0) {
    const names = group.map(({ words }) => words.join(" ")).join(", ");
    throw new UsageError(`${args[0]} is part of a command: ${names}`);
  }
  const given = args.length === 0 ? "no command given" : `unknown command "${args[0]}"`;
  throw new UsageError(`${given}; tapio-bpf --help lists the commands`);
}

function outputFormat(value: unknown): OutputFormat {
  if (value === undefined || value === "table") return "table";
  if (value === "json") return "json";
  throw new UsageError(`-o ${String(value)}: the formats are json and table`);
}

function parseInput(command: Command, args: readonly string[]): CommandInput | "help" {
  let parsed: ReturnType<typeof parseArgs>;
  try {
    const options = { ...COMMON, ...command.options };
    parsed = parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError(
      `${(error as Error).message.split(". ")[0]}; usage: ${usageLine(command)}`,
    );
  }
  const { help, format, ...options } = Object.fromEntries(
    // An option that may be given several times is a list with commas.
    Object.entries(parsed.values).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(",") : value,
    ]),
  );
  if (help === true) return "help";
  const [least, most] = command.positionals;
  const count = parsed.positionals.length;
  if (count < least || count > most) {
    throw new UsageError(`wrong number of arguments; usage: ${usageLine(command)}`);
  }
  return { options, positionals: parsed.positionals, output: outputFormat(format) };
}

async function dispatch(args: readonly string[]): Promise<number> {
  if (args[0] === "--help" || args[0] === "-h" || args[0] === "help") {
    console.log(overview());
    return 0;
  }
  const command = findCommand(args);
  const input = parseInput(command, args.slice(command.words.length));
  if (input === "help") {
    console.log(`usage: ${usageLine(command)}\n\n${command.summary}`);
    return 0;
  }
  return command.run(input);
}

/** Runs the command line; resolves to the exit code and never throws. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    return await dispatch(args);
  } catch (error) {
    if (error instanceof UsageError) {
      console.error(`tapio-bpf: ${oneLine(error)}`);
      return 2;
    }
    const known = error instanceof BpfError || process.env["TAPIO_DEBUG"] === undefined;
    console.error(`tapio-bpf: ${known ? oneLine(error) : ((error as Error).stack ?? error)}`);
    return 1;
  }
}

function oneLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replaceAll(/\s*\n\s*/g, " | ");
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
