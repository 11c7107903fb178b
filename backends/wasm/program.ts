/** A program on the simulated machine. */
import { programStateError } from "#contract/state_errors.ts";
import type {
  Link,
  Program,
  ProgramInfo,
  ProgramKind,
  RunOptions,
  RunResult,
} from "#core/backend.ts";
import type { WasmBackend } from "./backend.ts";
import type { EngineProgram } from "./engines/engine.ts";
import type { LinkedProgram } from "./loader/linked_program.ts";
import type { ProgramSpec } from "./loader/object_spec.ts";

const SLOT_BYTES = 8;

export class WasmProgram implements Program {
  readonly name: string;
  readonly section: string;
  readonly kind: ProgramKind;
  readonly #backend: WasmBackend;
  readonly #links = new Set<Link>();
  #loaded: EngineProgram | undefined;
  #linked: LinkedProgram | undefined;
  #closed = false;

  constructor(backend: WasmBackend, spec: ProgramSpec) {
    this.name = spec.name;
    this.section = spec.section;
    this.kind = spec.kind;
    this.#backend = backend;
  }

  setLoaded(loaded: EngineProgram, linked: LinkedProgram): void {
    this.#loaded = loaded;
    this.#linked = linked;
  }

  get handle(): number {
    return this.#program("get handle").handle;
  }

  attach(): Link {
    const { handle } = this.#program("attach");
    const detach = this.#backend.hooks.attach(this.section, handle);
    let attached = true;
    const link: Link = {
      description: this.section,
      close: () => {
        if (!attached) return;
        attached = false;
        this.#links.delete(link);
        detach();
      },
    };
    this.#links.add(link);
    return link;
  }

  run(context: Uint8Array, options: RunOptions = {}): RunResult {
    const { handle } = this.#program("run");
    const { instance } = this.#backend;
    const { cpu = 0 } = options;
    const repeat = Math.max(1, options.repeat ?? 1);
    const size = Math.max(1, context.length);
    const address = instance.createContext(size, true);
    const started_ns = this.#backend.now_ns();
    let returnValue = 0;
    try {
      instance.u8.set(context, address);
      for (let i = 0; i < repeat; i++)
        returnValue = (instance.run(handle, address, cpu) ?? 0) >>> 0;
      context.set(instance.u8.subarray(address, address + context.length));
    } finally {
      instance.exports.context_destroy(address, size);
    }
    const elapsed_ns = Number(this.#backend.now_ns() - started_ns);
    return { returnValue, duration_ns: Math.floor(elapsed_ns / repeat) };
  }

  info(): ProgramInfo {
    const { handle } = this.#program("get info");
    const { exports } = this.#backend.instance;
    const code = this.#linked!.code.length;
    return {
      id: handle,
      instructions: code / SLOT_BYTES,
      runCount: exports.program_run_count(handle),
      // Virtual time stands still while a program runs.
      runTime_ns: 0,
      recursionMisses: exports.program_recursion_misses(handle),
      verifiedInstructions: 0,
      memoryBytes: code,
    };
  }

  #program(operation: string): EngineProgram {
    if (this.#loaded !== undefined && !this.#closed) return this.#loaded;
    throw programStateError(operation, this.name, this.#closed);
  }

  close(): void {
    if (this.#closed) return;
    for (const link of [...this.#links]) link.close();
    this.#closed = true;
    this.#loaded?.close();
  }
}
