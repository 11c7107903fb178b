/**
 * The simulated machine behind the backend contract: runs in Node and in a browser, needs no
 * privilege, and does the same every time for the same seed.
 */
import type { Backend, BpfMap, BpfObject, MapSpec, OpenOptions } from "#core/backend.ts";
import type { Btf } from "#core/btf/btf.ts";
import { parseBtf } from "#core/btf/parse.ts";
import { BpfError, ERRNO } from "#core/errors.ts";
import { coverageOfEveryBackend } from "./coverage/collector.ts";
import { aotEngine } from "./engines/aot/aot.ts";
import type { Engine, Mode } from "./engines/engine.ts";
import { DEFAULT_ENGINE, findEngine } from "./engines/engines.ts";
import type { Instrument } from "./engines/probes.ts";
import { RuntimeInstance } from "./instance.ts";
import { parseElf } from "./loader/elf.ts";
import { parseOnce } from "./loader/opened_before.ts";
import { WasmMap } from "./map.ts";
import { WasmObject } from "./object.ts";
import { Remembered } from "./remembered.ts";
import { Hooks } from "./world/hooks.ts";
import { TaskTable } from "./world/task_table.ts";

export interface WasmBackendOptions {
  /** `runtime.wasm`. */
  readonly runtime: Uint8Array | WebAssembly.Module;
  /** The object whose BTF is the simulated kernel's. */
  readonly kernelTypes: Uint8Array;
  /** Possible CPUs, 1 to 64; default 2. */
  readonly cpus?: number;
  /** Seed of PRNG and scheduler; default 1. */
  readonly seed?: number;
  /** Linear memory, 128 MiB by default. */
  readonly memoryBytes?: number;
  /** `"aot"`, the default, or `"ubpf"`. */
  readonly engine?: string;
  /** Default `"checked"`. */
  readonly mode?: Mode;
  /** Mean number of helper calls between switches to another CPU's record; 0, the default, = never. */
  readonly preemptionInterval?: number;
  /** Called where a program is preempted, before another record runs: user space's turn. */
  readonly preempted?: () => void;
  /** What programs print with `bpf_printk`; default nothing. */
  readonly print?: (text: string) => void;
  /** What programs tell about their runs, for tracing and coverage; only the engine `aot` can. */
  readonly instrument?: Instrument;
}

const MEMORY_BYTES_DEFAULT = 128 * 1024 * 1024;

/** Throws `BpfError` where an option is out of range. */
export async function createWasmBackend(options: WasmBackendOptions): Promise<WasmBackend> {
  const engine = findEngine(options.engine ?? DEFAULT_ENGINE, options.mode);
  if (options.instrument !== undefined && engine.name !== aotEngine.name) {
    throw new BpfError("instrument programs", `the engine ${engine.name} cannot`, {
      hint: `use ${aotEngine.name}`,
    });
  }
  let instance: RuntimeInstance | undefined;
  instance = await RuntimeInstance.create({
    wasm: options.runtime as Uint8Array<ArrayBuffer> | WebAssembly.Module,
    memoryBytes: options.memoryBytes ?? MEMORY_BYTES_DEFAULT,
    cpus: options.cpus ?? 2,
    seed: options.seed ?? 1,
    paranoid: engine.mode === "paranoid",
    host: {
      preempt: () => {
        options.preempted?.();
        instance!.exports.replay_preempt();
      },
      ...(options.print === undefined ? {} : { print: options.print }),
    },
  });
  instance.exports.rt_preemption_set(options.preemptionInterval ?? 0);
  const instrument = options.instrument ?? coverageOfEveryBackend()?.instrument;
  return new WasmBackend(instance, engine, kernelBtfOf(options.kernelTypes), instrument);
}

const kernels = new Remembered<Btf>(4);

function kernelBtfOf(object: Uint8Array): Btf {
  return kernels.of(object, "", () => readKernelBtf(object));
}

function readKernelBtf(object: Uint8Array): Btf {
  const section = parseElf(object, "kernel types").sections.find(({ name }) => name === ".BTF");
  if (section !== undefined) return parseBtf(section.data);
  throw new BpfError("simulated kernel", "its types have no .BTF section", {
    hint: "rebuild with npm run setup",
  });
}

export class WasmBackend implements Backend {
  readonly kind = "wasm";
  readonly engine: string;
  readonly cpus: number;
  readonly instance: RuntimeInstance;
  readonly kernelBtf: Btf;
  readonly hooks: Hooks;
  readonly tasks: TaskTable;
  /** For engines that load programs. */
  readonly instrument: Instrument | undefined;
  readonly #engine: Engine;
  readonly #objects = new Set<WasmObject>();
  readonly #maps = new Set<BpfMap>();
  #closed = false;

  /** Use `createWasmBackend`. */
  constructor(
    instance: RuntimeInstance,
    engine: Engine,
    kernelBtf: Btf,
    instrument: Instrument | undefined,
  ) {
    this.instance = instance;
    this.engine = engine.name;
    this.cpus = instance.cpus;
    this.kernelBtf = kernelBtf;
    this.hooks = new Hooks(instance);
    this.tasks = new TaskTable(instance, kernelBtf);
    this.#engine = engine;
    this.instrument = instrument;
  }

  open(object: Uint8Array, options: OpenOptions = {}): BpfObject {
    this.#assertOpen("open object");
    const spec = parseOnce(object, options.name ?? "object");
    const opened: WasmObject = new WasmObject(this, this.#engine, spec, options, () => {
      this.#objects.delete(opened);
    });
    this.#objects.add(opened);
    return opened;
  }

  createMap(spec: MapSpec): BpfMap {
    this.#assertOpen("create map");
    const map: WasmMap = new WasmMap(this.instance, spec, {
      onClose: () => this.#maps.delete(map),
    });
    this.#maps.add(map);
    return map;
  }

  now_ns(): bigint {
    this.#assertOpen("read clock");
    return this.instance.view.getBigUint64(this.instance.exports.rt_clock_address(), true);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const object of this.#objects) object.close();
    for (const map of this.#maps) map.close();
  }

  #assertOpen(operation: string): void {
    if (this.#closed)
      throw new BpfError(operation, "the backend is closed", { errno: ERRNO.EBADF });
  }
}
