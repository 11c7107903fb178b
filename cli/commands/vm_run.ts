/** `tapio-bpf vm run`: one program of any object, once, on the simulated machine. */
import { basename } from "node:path";
import { createWasmBackend } from "#wasm/backend.ts";
import { readArtifact } from "../artifacts.ts";
import type { Command } from "../command.ts";
import { engineOption, modeOption } from "../engine_option.ts";
import { integerOption } from "../numbers.ts";
import { contextBytes, findProgram, readObject } from "../vm_object.ts";

export const vmRunCommand: Command = {
  words: ["vm", "run"],
  summary: "loads an object, runs one of its programs once and prints what it returned",
  usage:
    "OBJECT [--program NAME] [--context HEX] [--cpu N] [--engine aot|ubpf] [--mode fast|checked|paranoid] [-o json|table]",
  options: {
    program: { type: "string" },
    context: { type: "string" },
    cpu: { type: "string" },
    engine: { type: "string" },
    mode: { type: "string" },
  },
  positionals: [1, 1],
  async run({ options, positionals, output }) {
    const context = contextBytes(options["context"]);
    const engine = engineOption(options["engine"]);
    const cpu = integerOption("cpu", options["cpu"], [0, 1], 0);
    const backend = await createWasmBackend({
      runtime: readArtifact("wasm/runtime.wasm"),
      kernelTypes: readArtifact("wasm/kernel_types.bpf.o"),
      print: (text) => console.error(text),
      engine,
      mode: modeOption(options["mode"], engine),
    });
    try {
      const path = positionals[0]!;
      const object = backend.open(readObject(path), { name: basename(path) });
      const wanted = options["program"];
      const program = findProgram(object, path, typeof wanted === "string" ? wanted : undefined);
      object.load();
      const { returnValue } = program.run(context, { cpu });
      const result = { object: path, program: program.name, engine: backend.engine, returnValue };
      if (output === "json") console.log(JSON.stringify(result));
      else console.log(`${program.name} returned ${returnValue}`);
      return 0;
    } finally {
      backend.close();
    }
  },
};
