/**
 * One simulated machine on which programs are loaded, run and removed one after the other, as a backend
 * does it. Much faster than a machine for every program, and it shows what a program leaves behind.
 */

import { BpfError } from "#core/errors.ts";
import { assemble } from "#property-tests/isa/assembler.ts";
import { bareProgram } from "#wasm/bare_program.ts";
import type { Engine } from "#wasm/engines/engine.ts";
import { RuntimeInstance } from "#wasm/instance.ts";
import { loadRuntimeModule } from "#wasm/load_runtime.ts";

export class ResidentMachine {
  readonly #engine: Engine;
  readonly #instance: RuntimeInstance;
  /** After a first run: stacks are created on demand, and stay. */
  #memoryUsed: number | undefined;

  private constructor(engine: Engine, instance: RuntimeInstance) {
    this.#engine = engine;
    this.#instance = instance;
  }

  static async create(engine: Engine): Promise<ResidentMachine> {
    const wasm = await loadRuntimeModule();
    const instance = await RuntimeInstance.create({ wasm, memoryBytes: 8 * 1024 * 1024, cpus: 1 });
    instance.setBudget(200_000);
    const machine = new ResidentMachine(engine, instance);
    machine.run(assemble("mov %r0, 0\nexit"), new Uint8Array());
    return machine;
  }

  /**
   * Returns r0; `memory` is left as it was. Throws `BpfError` where the program is refused or faults,
   * and a plain error where memory of the machine stays in use.
   */
  run(program: Uint8Array, memory: Uint8Array): bigint {
    const instance = this.#instance;
    const context = memory.length === 0 ? 0 : instance.createContext(memory.length, true);
    instance.u8.set(memory, context);
    try {
      const loaded = this.#engine.load(instance, bareProgram(program), noReference, {
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

  #expectNothingLeft(): void {
    const used = this.#instance.exports.rt_memory_used();
    this.#memoryUsed ??= used;
    const left = used - this.#memoryUsed;
    if (left !== 0)
      throw new Error(`the program left ${left} bytes of the machine's memory in use`);
  }
}

function noReference(): never {
  throw new BpfError("load program", "a bare program names no maps");
}
