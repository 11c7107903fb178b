/**
 * One simulated machine on which programs are loaded, run and removed one after the other, as a backend
 * does it. Much faster than a machine for every program, and it shows what a program leaves behind.
 */

import type { MapSpec } from "#core/backend.ts";
import { assemble } from "#property-tests/isa/assembler.ts";
import { IMMEDIATE_MAP, LDDW, SLOT_BYTES } from "#property-tests/isa/encoding.ts";
import { MachineMaps } from "#property-tests/isa/machine_maps.ts";
import { bareProgram } from "#wasm/bare_program.ts";
import type { DataReference, Engine } from "#wasm/engines/engine.ts";
import { RuntimeInstance } from "#wasm/instance.ts";
import { loadRuntimeModule } from "#wasm/load_runtime.ts";
import type { LinkedProgram, Reference } from "#wasm/loader/linked_program.ts";

export class ResidentMachine {
  readonly #engine: Engine;
  readonly #instance: RuntimeInstance;
  readonly #maps: MachineMaps;
  /** After a first run: stacks are created on demand, and stay. */
  #memoryUsed: number | undefined;

  private constructor(engine: Engine, instance: RuntimeInstance, maps: readonly MapSpec[]) {
    this.#engine = engine;
    this.#instance = instance;
    this.#maps = new MachineMaps(instance, maps);
  }

  /** With maps for programs that say `lddw %rN, map n`. */
  static async create(engine: Engine, maps: readonly MapSpec[] = []): Promise<ResidentMachine> {
    const wasm = await loadRuntimeModule();
    const instance = await RuntimeInstance.create({ wasm, memoryBytes: 8 * 1024 * 1024, cpus: 1 });
    instance.setBudget(200_000);
    const machine = new ResidentMachine(engine, instance, maps);
    machine.run(assemble("mov %r0, 0\nexit"), new Uint8Array());
    return machine;
  }

  /**
   * Returns r0; `memory` is left as it was, maps start empty. Throws `BpfError` where the program is refused or faults,
   * and a plain error where memory of the machine stays in use.
   */
  run(program: Uint8Array, memory: Uint8Array): bigint {
    const instance = this.#instance;
    const context = memory.length === 0 ? 0 : instance.createContext(memory.length, true);
    instance.u8.set(memory, context);
    this.#maps.clear();
    try {
      const resolve = (reference: DataReference) => this.#maps.address(reference.map);
      const loaded = this.#engine.load(instance, withMaps(bareProgram(program)), resolve, {
        contextSize: memory.length,
        secondArgument: memory.length,
      });
      try {
        instance.run(loaded.handle, context);
        return instance.result64;
      } finally {
        loaded.close();
      }
    } finally {
      if (context !== 0) instance.exports.context_destroy(context, memory.length);
      this.#expectNothingLeft();
    }
  }

  /** What the last program left in the maps; equal texts are equal contents. */
  mapContents(): string {
    return this.#maps.contents();
  }

  #expectNothingLeft(): void {
    const used = this.#instance.exports.rt_memory_used();
    this.#memoryUsed ??= used;
    const left = used - this.#memoryUsed;
    if (left !== 0)
      throw new Error(`the program left ${left} bytes of the machine's memory in use`);
  }
}

/** With a reference for every LDDW that names a map by its descriptor, counted from 0. */
function withMaps(program: LinkedProgram): LinkedProgram {
  const { code } = program;
  const view = new DataView(code.buffer, code.byteOffset, code.length);
  const references: Reference[] = [];
  for (let at = 0; at < code.length; at += SLOT_BYTES) {
    if (code[at] !== LDDW) continue;
    if (code[at + 1]! >> 4 === IMMEDIATE_MAP) {
      references.push({
        kind: "map",
        slot: at / SLOT_BYTES,
        map: `${view.getInt32(at + 4, true)}`,
      });
    }
    at += SLOT_BYTES;
  }
  return references.length === 0 ? program : { ...program, references };
}
