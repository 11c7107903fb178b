/** Programs that were compiled before, in this process, for the same places of an instance. */
import { VerifierError } from "#core/errors.ts";
import type { LinkedProgram } from "#wasm/loader/linked_program.ts";
import { RememberedFor } from "#wasm/remembered.ts";
import { type CompiledProgram, type CompileRequest, compileProgram } from "./compile_program.ts";

/** Of one program: instances of one kind load it to the same places. */
const CODES_MAX = 4;

export interface CompiledModule extends CompiledProgram {
  /** Keeps its machine code, which gets faster while it runs. */
  readonly module: WebAssembly.Module;
}

interface Code {
  readonly key: string;
  readonly compiled: CompiledModule;
}

const codes = new RememberedFor<LinkedProgram, Code>(CODES_MAX);

/** Throws `VerifierError` for code that cannot run, or that wasm engines refuse. */
export function compileOnce(request: CompileRequest): CompiledModule {
  const { program, mode, addresses, references, secondArgument } = request;
  // Probes are somebody's own.
  if (request.probes !== undefined) return compileModule(request);
  const key = JSON.stringify([mode, addresses, [...references], secondArgument]);
  return codes.of(
    program,
    (code) => code.key === key && code.compiled.helpers.every(request.hasHelper),
    () => ({ key, compiled: compileModule(request) }),
  ).compiled;
}

function compileModule(request: CompileRequest): CompiledModule {
  const compiled = compileProgram(request);
  try {
    return { ...compiled, module: new WebAssembly.Module(compiled.bytes) };
  } catch (error) {
    // Wasm engines bound the size of a function.
    if (!(error instanceof WebAssembly.CompileError)) throw error;
    const { name } = request.program;
    throw new VerifierError(name, `its code is refused: ${error.message}`, error.message);
  }
}
