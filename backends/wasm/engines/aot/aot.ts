/** The compiling engine: every program becomes a WebAssembly module that calls the runtime's helpers. */
import type { Engine, EngineProgram, LoadOptions, Mode, Resolve } from "#wasm/engines/engine.ts";
import { describeSite } from "#wasm/engines/fault_site.ts";
import { checkMode } from "#wasm/engines/mode.ts";
import {
  callbackTargets,
  outOfMemory,
  type ResolvedReference,
  resolveData,
} from "#wasm/engines/references.ts";
import type { RuntimeInstance } from "#wasm/instance.ts";
import type { LinkedProgram } from "#wasm/loader/linked_program.ts";
import { type CompiledModule, compileOnce } from "./compile_once.ts";
import type { RuntimeAddresses } from "./function_context.ts";
import { inlinePlaces } from "./inline_places.ts";

export const aotEngine: Engine = createAotEngine("checked");

export function createAotEngine(mode: Mode): Engine {
  return {
    name: "aot",
    mode,
    load: (instance, program, resolve, options = {}) =>
      load(mode, instance, program, resolve, options),
  };
}

function load(
  mode: Mode,
  instance: RuntimeInstance,
  program: LinkedProgram,
  resolve: Resolve,
  options: LoadOptions,
): EngineProgram {
  const { exports } = instance;
  checkMode(instance, program.name, mode);
  const handle = exports.program_create(options.contextSize ?? 0);
  if (handle < 0) throw outOfMemory(program.name);
  try {
    const probes = options.instrument?.(instance, program);
    const entry = install(instance, program.name, handle, probes?.released);
    const targets = callbackTargets(program);
    const callbacks = targets.map(() => createCallback(instance, program.name, handle));
    const references = new Map<number, ResolvedReference>();
    for (const reference of program.references) {
      const resolved =
        reference.kind === "function"
          ? callbacks[targets.indexOf(reference.target)]!.reference
          : resolveData(instance, handle, reference, resolve(reference));
      references.set(reference.slot, resolved);
    }
    const compiled = compileOnce({
      program,
      mode,
      addresses: runtimeAddresses(instance),
      references,
      callbacks: targets,
      secondArgument: options.secondArgument ?? 0,
      hasHelper: (id) => exports.rt_helper_index(id) !== 0,
      probes,
    });
    const functions = instantiate(instance, compiled, probes?.step?.before);
    instance.functions.set(entry, functions["entry"]);
    callbacks.forEach(({ index }, at) => {
      instance.functions.set(index, functions[`callback${at}`]);
    });
    instance.setLocator(handle, (site) =>
      site < program.code.length / 8 ? describeSite(program, site) : undefined,
    );
    return new AotProgram(instance, handle, compiled.bytes.length);
  } catch (error) {
    exports.program_put(handle);
    throw error;
  }
}

class AotProgram implements EngineProgram {
  readonly handle: number;
  readonly memoryBytes: number;
  readonly #instance: RuntimeInstance;
  #closed = false;

  constructor(instance: RuntimeInstance, handle: number, memoryBytes: number) {
    this.#instance = instance;
    this.handle = handle;
    this.memoryBytes = memoryBytes;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#instance.exports.program_put(this.handle);
  }
}

/** The place in the table for the program's entry, which the program owns. */
function install(
  instance: RuntimeInstance,
  name: string,
  handle: number,
  released?: () => void,
): number {
  const index = instance.functions.reserve(released);
  if (instance.exports.aot_install(handle, index) === 0) return index;
  instance.functions.release(index);
  throw outOfMemory(name);
}

function createCallback(
  instance: RuntimeInstance,
  name: string,
  handle: number,
): { index: number; reference: ResolvedReference } {
  const index = instance.functions.reserve();
  const address = instance.exports.aot_callback(handle, index);
  if (address !== 0) return { index, reference: { address, named: { kind: "function" } } };
  instance.functions.release(index);
  throw outOfMemory(name);
}

function runtimeAddresses(instance: RuntimeInstance): RuntimeAddresses {
  const { exports, u8 } = instance;
  return {
    shadow: exports.rt_shadow_address(),
    memoryBytes: u8.length,
    site: exports.aot_site_address(),
    budget: exports.aot_budget_address(),
    preemptionCountdown: exports.rt_preemption_countdown_address(),
    inline: inlinePlaces(instance),
  };
}

function instantiate(
  instance: RuntimeInstance,
  compiled: CompiledModule,
  probeStep: ((slot: number) => void) | undefined,
): WebAssembly.Exports {
  const { exports, functions } = instance;
  const runtime = { ...exports } as unknown as Record<string, WebAssembly.ImportValue>;
  for (const id of compiled.helpers) {
    const helper = functions.get(exports.rt_helper_index(id));
    runtime[`helper${id}`] = helper as WebAssembly.ImportValue;
  }
  if (probeStep !== undefined) runtime["probe_step"] = probeStep;
  return new WebAssembly.Instance(compiled.module, { runtime }).exports;
}
