/**
 * Runs a bare program on an engine, as the plugins of public eBPF conformance runners do: r1 is the
 * memory, r2 its length, and the answer is r0.
 */
import { BpfError, ERRNO } from "#core/errors.ts";
import { bareProgram } from "#wasm/bare_program.ts";
import { findEngine } from "#wasm/engines/engines.ts";
import { RuntimeInstance } from "#wasm/instance.ts";
import { loadRuntimeModule } from "#wasm/load_runtime.ts";

export interface VmExecRequest {
  /** Bytes behind r1, as hex digits; spaces between bytes are allowed. Empty: r1 is NULL. */
  readonly memoryHex: string;
  /** The instructions, as hex digits; spaces between bytes are allowed. */
  readonly programHex: string;
  /** Name of the engine: `aot` or `ubpf`. */
  readonly engine: string;
  /** Instructions after which the run is given up; default one million. */
  readonly budget?: number;
}

const MEMORY_BYTES = 8 * 1024 * 1024;

/** r0 in hex, without a prefix. Throws `BpfError` for a program that is refused or goes wrong. */
export async function vmExec(request: VmExecRequest): Promise<string> {
  const memory = parseHex("memory", request.memoryHex);
  const program = bareProgram(parseHex("program", request.programHex));
  const engine = findEngine(request.engine);
  const instance = await RuntimeInstance.create({
    wasm: await loadRuntimeModule(),
    memoryBytes: MEMORY_BYTES + 2 * memory.length,
    cpus: 1,
  });
  if (request.budget !== undefined) instance.setBudget(request.budget);
  const context = memory.length === 0 ? 0 : instance.createContext(memory.length, true);
  instance.u8.set(memory, context);
  const loaded = engine.load(instance, program, refuseReference, {
    contextSize: memory.length,
    secondArgument: memory.length,
  });
  instance.run(loaded.handle, context);
  return instance.result64.toString(16);
}

function refuseReference(): never {
  throw new BpfError("load program", "a bare program names no maps", { errno: ERRNO.EINVAL });
}

function parseHex(what: string, text: string): Uint8Array {
  const digits = text.replace(/\s+/g, "");
  if (digits.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(digits)) {
    throw new BpfError(`read ${what}`, "not a row of hex bytes", {
      errno: ERRNO.EINVAL,
      hint: "give two hex digits for each byte",
    });
  }
  return Uint8Array.from({ length: digits.length / 2 }, (_, index) =>
    Number.parseInt(digits.slice(2 * index, 2 * index + 2), 16),
  );
}
