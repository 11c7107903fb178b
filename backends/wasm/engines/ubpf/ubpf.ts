/** The reference engine: uBPF's interpreter, compiled into the runtime. */
import { VerifierError } from "#core/errors.ts";
import type { Engine, EngineProgram, LoadOptions, Resolve } from "#wasm/engines/engine.ts";
import type { RuntimeInstance } from "#wasm/instance.ts";
import type { LinkedProgram } from "#wasm/loader/linked_program.ts";
import { describeSite } from "../fault_site.ts";
import { checkMode } from "../mode.ts";
import {
  callbackTargets,
  outOfMemory,
  type ResolvedReference,
  resolveData,
} from "../references.ts";
import { SITE_BYTES, SITE_IS_END, SITE_IS_PC, writeSites } from "./sites.ts";
import { type Lowering, lower } from "./ubpf_lowering.ts";

export const ubpfEngine: Engine = { name: "ubpf", mode: "checked", load };

function load(
  instance: RuntimeInstance,
  program: LinkedProgram,
  resolve: Resolve,
  options: LoadOptions = {},
): EngineProgram {
  const { exports } = instance;
  checkMode(instance, program.name, "checked");
  const memoryBefore = exports.rt_memory_used();
  const handle = exports.program_create(options.contextSize ?? 0);
  if (handle < 0) throw outOfMemory(program.name);
  try {
    const callbacks = callbackTargets(program);
    const references = resolveReferences(instance, program, resolve, handle, callbacks);
    const lowering = lower(program, references, callbacks, options.secondArgument);
    install(instance, program, handle, lowering);
    instance.setLocator(handle, (site) => {
      const slot = slotOfSite(lowering, site);
      return slot === undefined ? undefined : describeSite(program, slot);
    });
  } catch (error) {
    exports.program_put(handle);
    throw error;
  }
  return new UbpfProgram(instance, handle, exports.rt_memory_used() - memoryBefore);
}

class UbpfProgram implements EngineProgram {
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

function resolveReferences(
  instance: RuntimeInstance,
  program: LinkedProgram,
  resolve: Resolve,
  handle: number,
  callbacks: readonly number[],
): Map<number, ResolvedReference> {
  const addresses = callbacks.map((_, index) => {
    const address = instance.exports.ubpf_engine_callback(handle, index + 1);
    if (address === 0) throw outOfMemory(program.name);
    return address;
  });
  const references = new Map<number, ResolvedReference>();
  for (const reference of program.references) {
    if (reference.kind === "function") {
      const address = addresses[callbacks.indexOf(reference.target)]!;
      references.set(reference.slot, { address, named: { kind: "function" } });
    } else {
      references.set(reference.slot, resolveData(instance, handle, reference, resolve(reference)));
    }
  }
  return references;
}

/** Hands code and sites to the C side, which owns the sites from then on. */
function install(
  instance: RuntimeInstance,
  program: LinkedProgram,
  handle: number,
  { code, sites, siteSlots }: Lowering,
): void {
  const { exports, u8, view } = instance;
  const siteAddress = instance.alloc(sites.length * SITE_BYTES);
  writeSites(view, siteAddress, sites);
  const codeAddress = exports.memory_alloc(code.length);
  if (codeAddress === 0) {
    instance.free(siteAddress);
    throw outOfMemory(program.name);
  }
  u8.set(code, codeAddress);
  const status = exports.ubpf_engine_load(
    handle,
    codeAddress,
    code.length,
    siteAddress,
    sites.length,
  );
  instance.free(codeAddress);
  if (status > 0) {
    const problem = `instruction ${siteSlots[status]}: unknown helper ${sites[status]!.value}`;
    throw new VerifierError(program.name, problem, problem);
  }
  if (status === -12) throw outOfMemory(program.name);
  if (status < 0) {
    const reason = readText(u8, exports.ubpf_engine_error());
    throw new VerifierError(program.name, `uBPF refused it: ${reason}`, reason);
  }
}

function readText(memory: Uint8Array, address: number): string {
  return new TextDecoder().decode(memory.subarray(address, memory.indexOf(0, address)));
}

function slotOfSite({ slotOf, siteSlots, endSlot }: Lowering, site: number): number | undefined {
  if (site === SITE_IS_END) return endSlot;
  return site >= SITE_IS_PC ? slotOf[site - SITE_IS_PC] : siteSlots[site];
}
