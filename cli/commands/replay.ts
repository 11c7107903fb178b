/** `tapio-bpf replay FILE`: `run --trace FILE` by the name that people look for. */
import type { Command } from "../command.ts";
import { runCommand } from "./run.ts";

const { backend: _, trace: __, workload: ___, ...options } = runCommand.options;

export const replayCommand: Command = {
  words: ["replay"],
  summary: "runs collectors over a recording, as run --trace does",
  usage: "FILE [options of run]",
  options,
  positionals: [1, 1],
  run: (input) =>
    runCommand.run({
      ...input,
      options: { ...input.options, trace: input.positionals[0] },
      positionals: [],
    }),
};
