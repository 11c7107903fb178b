/** `tapio-bpf vm exec`: one program on one engine, in the protocol of public conformance runners. */
import { text } from "node:stream/consumers";
import type { Command } from "../command.ts";
import { engineOption } from "../engine_option.ts";
import { vmExec } from "../vm_exec.ts";

export const vmExecCommand: Command = {
  words: ["vm", "exec"],
  summary: "runs a program (hex on standard input) over memory (hex argument) and prints r0 in hex",
  usage: "[MEMORY_HEX] [--engine aot|ubpf]",
  options: { engine: { type: "string" } },
  positionals: [0, 1],
  async run({ options, positionals, output }) {
    const engine = engineOption(options["engine"]);
    const programHex = (await text(process.stdin)).trim();
    const result = await vmExec({ memoryHex: positionals[0] ?? "", programHex, engine });
    console.log(output === "json" ? JSON.stringify({ engine, r0: result }) : result);
    return 0;
  },
};
