/** `tapio-bpf vm run`: one program of any object, once, on the simulated machine. */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { BpfError } from "#core/errors.ts";
import { createWasmBackend } from "#wasm/backend.ts";
import { readArtifact } from "../artifacts.ts";
import type { Command } from "../command.ts";
import { engineOption } from "../engine_option.ts";
import { integerOption } from "../numbers.ts";
import { UsageError } from "../usage_error.ts";

function readObject(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new BpfError(`open ${path}`, "no such file, or not readable", { cause });
  }
}

function contextBytes(text: string | boolean | undefined): Uint8Array {
  const hex = String(text ?? "");
  if (hex.length % 2 === 0 && /^[0-9a-f]*$/i.test(hex)) return Buffer.from(hex, "hex");
  throw new UsageError(`--context ${hex}: give two hexadecimal digits for each byte`);
}

export const vmRunCommand: Command = {
  words: ["vm", "run"],
  summary: "loads an object, runs one of its programs once and prints what it returned",
  usage: "OBJECT [--program NAME] [--context HEX] [--cpu N] [--engine aot|ubpf] [-o json|table]",
  options: {
    program: { type: "string" },
    context: { type: "string" },
    cpu: { type: "string" },
    engine: { type: "string" },
  },
  positionals: [1, 1],
  async run({ options, positionals, output }) {
    const context = contextBytes(options["context"]);
    const cpu = integerOption("cpu", options["cpu"], [0, 1], 0);
    const backend = await createWasmBackend({
      runtime: readArtifact("wasm/runtime.wasm"),
      kernelTypes: readArtifact("wasm/kernel_types.bpf.o"),
      print: (text) => console.error(text),
      engine: engineOption(options["engine"]),
    });
    try {
      const path = positionals[0]!;
      const object = backend.open(readObject(path), { name: basename(path) });
      const names = [...object.programs.keys()];
      const name = String(options["program"] ?? names[0]);
      const program = object.programs.get(name);
      if (program === undefined) {
        const known = names.length === 0 ? "it has none" : `it has ${names.join(", ")}`;
        throw new BpfError(`run ${path}`, `the object has no program ${name}`, { hint: known });
      }
      object.load();
      const { returnValue } = program.run(context, { cpu });
      const result = { object: path, program: name, engine: backend.engine, returnValue };
      if (output === "json") console.log(JSON.stringify(result));
      else console.log(`${name} returned ${returnValue}`);
      return 0;
    } finally {
      backend.close();
    }
  },
};
