/**
 * One simulated machine: an instance of the wasm runtime, without emscripten's JavaScript. Runs in
 * Node and in browsers; the module's bytes come from the caller (`load_runtime.ts` reads them in
 * Node).
 *
 * Memory is grown once, at creation, so the views stay valid for the instance's life. A program
 * that does what the kernel's verifier would have refused throws `ProgramFault`; the instance stays
 * usable.
 */
import { BpfError, ProgramFault } from "#core/errors.ts";
import type { FaultSite } from "./engines/engine.ts";
import { describeFault, FAULT_HINTS, type FaultRecord, readFaultRecord } from "./faults.ts";
import { FunctionTable } from "./function_table.ts";
import { Remembered } from "./remembered.ts";
import type { RuntimeExports } from "./runtime_exports.ts";

/** Functions that the runtime's C calls (module `host`), beyond `fault`. */
export interface HostFunctions {
  /** The scheduler's turn: may run programs on other, idle CPUs with `RuntimeInstance.run`. */
  readonly preempt?: () => void;
  /** Text that a program printed (`bpf_trace_printk`), without its final newline. */
  readonly print?: (text: string) => void;
  /** Further imports, by the name their C declares with RT_IMPORT. */
  readonly [name: string]: ((...args: never[]) => unknown) | undefined;
}

export interface InstanceOptions {
  /** `runtime.wasm`, compiled or as bytes. */
  readonly wasm: WebAssembly.Module | Uint8Array<ArrayBuffer>;
  /** Linear memory for maps, stacks and contexts, 64 MiB by default; at most 2 GiB. */
  readonly memoryBytes?: number;
  /** Possible CPUs, 1 to 64; default 4. */
  readonly cpus?: number;
  /** Seed of the program's PRNG and of the scheduler; default 1. */
  readonly seed?: bigint | number;
  /** For programs of paranoid mode, and no others; takes an eighth of the memory. */
  readonly paranoid?: boolean;
  readonly host?: HostFunctions;
}

/** A module keeps its machine code, which gets faster while it runs. (Bytes that are none never will be.) */
const modules = new Remembered<Promise<WebAssembly.Module>>(2);

/** Thrown through wasm frames by `host.fault`; `guard` turns it into a `ProgramFault`. */
class FaultSignal {
  readonly record: FaultRecord;
  readonly program: number;

  constructor(record: FaultRecord, program: number) {
    this.record = record;
    this.program = program;
  }
}

/** Where a call site of a program lies; the engine that loaded the program knows. */
export type Locate = (site: number) => FaultSite | undefined;

const MEMORY_BYTES_DEFAULT = 64 * 1024 * 1024;
const MEMORY_BYTES_MAX = 2 ** 31;
const WASI_ENOSYS = 52;

export class RuntimeInstance {
  readonly exports: RuntimeExports;
  readonly u8: Uint8Array<ArrayBuffer>;
  readonly u32: Uint32Array<ArrayBuffer>;
  readonly view: DataView<ArrayBuffer>;
  /** The runtime; instances of one have the same helpers. */
  readonly module: WebAssembly.Module;
  readonly cpus: number;
  readonly paranoid: boolean;
  /** Whom to wake when a ring has data, by address of its `struct rt_ring`. */
  readonly wakers = new Map<number, () => void>();
  /** Names of maps, by handle: for people who read faults. */
  readonly mapNames: Map<number, string>;
  /** Functions that C calls by index: those of compiled programs. */
  readonly functions: FunctionTable;
  readonly #resultAddress: number;
  readonly #depthIndex: number;
  readonly #locators = new Map<number, Locate>();

  private constructor(
    module: WebAssembly.Module,
    exports: RuntimeExports,
    cpus: number,
    mapNames: Map<number, string>,
  ) {
    this.module = module;
    this.mapNames = mapNames;
    this.exports = exports;
    this.cpus = cpus;
    this.paranoid = exports.rt_paranoid_enabled() !== 0;
    this.functions = new FunctionTable(exports.__indirect_function_table);
    const buffer = exports.memory.buffer as ArrayBuffer;
    this.u8 = new Uint8Array(buffer);
    this.u32 = new Uint32Array(buffer);
    this.view = new DataView(buffer);
    this.#resultAddress = exports.program_result_address();
    this.#depthIndex = exports.rt_run_depth_address() / 4;
  }

  /** Throws `BpfError` (EINVAL, ENOMEM) where memory, CPUs or the module do not fit. */
  static async create(options: InstanceOptions): Promise<RuntimeInstance> {
    const memoryBytes = options.memoryBytes ?? MEMORY_BYTES_DEFAULT;
    const cpus = options.cpus ?? 4;
    if (!(memoryBytes > 0 && memoryBytes <= MEMORY_BYTES_MAX)) {
      throw new BpfError("create runtime", `${memoryBytes} bytes of memory`, {
        errno: 22,
        hint: "use at most 2 GiB",
      });
    }
    const { wasm } = options;
    const module =
      wasm instanceof WebAssembly.Module
        ? wasm
        : await modules.of(wasm, "", () => WebAssembly.compile(wasm));
    let exports: RuntimeExports | undefined;
    let runtime: RuntimeInstance | undefined;
    const mapNames = new Map<number, string>();
    const imports = hostImports(
      module,
      options.host ?? {},
      () => exports!,
      (map) => mapNames.get(map),
      (ring) => runtime?.wakers.get(ring)?.(),
      (index) => runtime?.functions.release(index),
    );
    const instance = await WebAssembly.instantiate(module, imports);
    exports = instance.exports as unknown as RuntimeExports;
    exports._initialize();
    const seed = BigInt.asUintN(64, BigInt(options.seed ?? 1));
    const status = exports.rt_init(
      memoryBytes,
      cpus,
      Number(seed & 0xffffffffn) | 0,
      Number(seed >> 32n) | 0,
    );
    if (status < 0) {
      throw new BpfError("create runtime", `${memoryBytes} bytes of memory, ${cpus} CPUs`, {
        errno: -status,
        hint: "use 1 to 64 CPUs and less memory",
      });
    }
    if (options.paranoid === true && exports.rt_paranoid_enable() < 0) {
      throw outOfMemory("what paranoid mode notes");
    }
    runtime = new RuntimeInstance(module, exports, cpus, mapNames);
    return runtime;
  }

  /** Zeroed memory that no program may touch, 16-byte aligned. Throws ENOMEM. */
  alloc(size: number): number {
    const address = this.exports.memory_alloc(size);
    if (address === 0) throw outOfMemory(`${size} bytes`);
    return address;
  }

  free(address: number): void {
    this.exports.memory_free(address);
  }

  /** Memory for r1 at a program's start: programs may read it, and write it where `writable`. */
  createContext(size: number, writable: boolean): number {
    const address = this.exports.context_create(size, writable ? 1 : 0);
    if (address === 0) throw outOfMemory(`a context of ${size} bytes`);
    return address;
  }

  /**
   * Runs a program once on `cpu` with r1 = `context` and returns r0's low 32 bits (`result64` has
   * all), or `undefined` where the kernel skips the run because the program already runs there.
   */
  run(handle: number, context: number, cpu = 0): number | undefined {
    const exports = this.exports;
    const depth = this.u32[this.#depthIndex]!;
    const stack = exports.rt_stack_save();
    let status: number;
    try {
      status = exports.program_run(handle, context, cpu);
    } catch (error) {
      throw this.#recover(error, depth, stack);
    }
    if (status === 0) return this.u32[this.#resultAddress >>> 2]!;
    if (status === 1) return undefined;
    throw new BpfError("run program", `handle ${handle} on CPU ${cpu}`, {
      errno: -status,
      hint: "run a loaded program on a possible CPU",
    });
  }

  /** r0 of the last run that ended. */
  get result64(): bigint {
    return this.view.getBigUint64(this.#resultAddress, true);
  }

  /** Calls into the runtime where programs may run (timers); a fault throws `ProgramFault`. */
  guard<Result>(call: () => Result): Result {
    const depth = this.u32[this.#depthIndex]!;
    const stack = this.exports.rt_stack_save();
    try {
      return call();
    } catch (error) {
      throw this.#recover(error, depth, stack);
    }
  }

  /** Instructions that one run may take before it faults; 1,000,000 unless set. */
  setBudget(instructions: number | bigint): void {
    const budget = BigInt.asUintN(64, BigInt(instructions));
    this.exports.rt_budget_set(Number(budget & 0xffffffffn) | 0, Number(budget >> 32n) | 0);
  }

  /** An engine says how to name the call sites of the program that it loaded. */
  setLocator(handle: number, locate: Locate): void {
    this.#locators.set(handle, locate);
  }

  /** Unwinds what the fault left behind, and says what to throw. */
  #recover(error: unknown, depth: number, stack: number): unknown {
    this.exports.rt_stack_restore(stack);
    this.exports.rt_run_unwind(depth);
    if (error instanceof FaultSignal) {
      const { record, program } = error;
      const site = this.#locators.get(program)?.(record.site);
      const note = site?.note === undefined ? "" : `: ${site.note}`;
      const problem = `${describeFault(record)}${note}`;
      return new ProgramFault(problem, site?.location, FAULT_HINTS[record.kind], record.object);
    }
    if (error instanceof WebAssembly.RuntimeError) {
      return new ProgramFault(`the engine trapped: ${error.message}`, undefined);
    }
    return error;
  }
}

function outOfMemory(what: string): BpfError {
  return new BpfError("allocate in the simulated machine", what, {
    errno: 12,
    hint: "create the instance with more memoryBytes, or make maps smaller",
  });
}

/** Implements every import of the module, or throws naming the one that nobody provides. */
function hostImports(
  module: WebAssembly.Module,
  host: HostFunctions,
  exports: () => RuntimeExports,
  mapName: (handle: number) => string | undefined,
  wake: (ring: number) => void,
  release_function: (index: number) => void,
): WebAssembly.Imports {
  const decoder = new TextDecoder();
  const known: Record<string, WebAssembly.ImportValue> = {
    fault: () => {
      const { memory, rt_fault_record_address, program_current } = exports();
      const words = new Uint32Array(memory.buffer);
      const record = readFaultRecord(words, rt_fault_record_address(), mapName);
      throw new FaultSignal(record, program_current());
    },
    preempt: () => host.preempt?.(),
    wake,
    release_function,
    print: (address: number, length: number) => {
      if (host.print === undefined) return;
      const bytes = new Uint8Array(exports().memory.buffer, address >>> 0, length >>> 0);
      host.print(decoder.decode(bytes).replace(/\n$/, ""));
    },
  };
  const imports: Record<string, Record<string, WebAssembly.ImportValue>> = {};
  for (const entry of WebAssembly.Module.imports(module)) {
    imports[entry.module] ??= {};
    imports[entry.module]![entry.name] = implement(entry, known, host);
  }
  return imports;
}

function implement(
  entry: WebAssembly.ModuleImportDescriptor,
  known: Readonly<Record<string, WebAssembly.ImportValue>>,
  host: HostFunctions,
): WebAssembly.ImportValue {
  // The C library's printf is linked in by uBPF; nothing is ever printed through it.
  if (entry.module === "wasi_snapshot_preview1") return () => WASI_ENOSYS;
  const value = entry.module === "host" ? (known[entry.name] ?? host[entry.name]) : undefined;
  if (value === undefined) {
    throw new BpfError("create runtime", `nothing provides ${entry.module}.${entry.name}`, {
      hint: "rebuild runtime.wasm and the TypeScript from the same sources",
    });
  }
  return value as WebAssembly.ImportValue;
}
