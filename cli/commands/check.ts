/** `tapio-bpf check FILE`: is this a configuration that a run would take? */
import { ConfigFileError } from "#core/config/parse_config.ts";
import type { Command } from "../command.ts";
import { loadConfig } from "../config/load_config.ts";

export const checkCommand: Command = {
  words: ["check"],
  summary: "checks a configuration file and lists every fault with its line",
  usage: "FILE [-o json|table]",
  options: {},
  positionals: [1, 1],
  async run({ positionals, output }) {
    const file = positionals[0]!;
    const faults = faultsOf(file);
    if (output === "json") console.log(JSON.stringify({ file, ok: faults.length === 0, faults }));
    else if (faults.length === 0) console.log(`${file} is good`);
    else for (const { line, text } of faults) console.error(`tapio-bpf: ${file}:${line}: ${text}`);
    return faults.length === 0 ? 0 : 1;
  },
};

interface Fault {
  readonly line: number;
  readonly text: string;
}

function faultsOf(file: string): Fault[] {
  try {
    loadConfig(file);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigFileError)) throw error;
    return error.faults.map((fault) => ({ line: fault.line, text: error.describe(fault) }));
  }
}
