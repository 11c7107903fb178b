/** Programs from assembler text, linked by hand: what tests of the engine run. */
import { MAP_TYPE, type MapSpec } from "#core/backend.ts";
import { assemble } from "#property-tests/isa/assembler.ts";
import { bareProgram } from "#wasm/bare_program.ts";
import { aotEngine } from "#wasm/engines/aot/aot.ts";
import type { Engine, EngineProgram } from "#wasm/engines/engine.ts";
import { type InstanceOptions, RuntimeInstance } from "#wasm/instance.ts";
import { loadRuntimeModule } from "#wasm/load_runtime.ts";
import type { LinkedProgram, Reference } from "#wasm/loader/linked_program.ts";
import { WasmMap } from "#wasm/map.ts";

const wasm = await loadRuntimeModule();
let engine: Engine = aotEngine;

/** What runs the programs of the tests that follow. */
export function useEngine(wanted: Engine): void {
  engine = wanted;
}

export function createInstance(options: Partial<InstanceOptions> = {}): Promise<RuntimeInstance> {
  const paranoid = engine.mode === "paranoid";
  return RuntimeInstance.create({ wasm, memoryBytes: 16 << 20, cpus: 2, paranoid, ...options });
}

/**
 * Assembles; `references` name what an LDDW loads, by the slot where it stands. Functions that only
 * a reference reaches start at `functions`.
 */
export function link(
  text: string,
  references: readonly Reference[] = [],
  functions: readonly number[] = [],
): LinkedProgram {
  const bare = bareProgram(assemble(text));
  const slots = bare.code.length / 8;
  const starts = [...new Set([...bare.subprograms.map(({ start }) => start), ...functions])].sort(
    (left, right) => left - right,
  );
  const subprograms = starts.map((start, index) => ({
    name: index === 0 ? bare.name : `function_${start}`,
    start,
    length: (starts[index + 1] ?? slots) - start,
  }));
  return { ...bare, references, subprograms };
}

/** Loads a program whose references name `maps` (a global-data reference: its single value). */
export function loadProgram(
  instance: RuntimeInstance,
  program: LinkedProgram,
  maps: Readonly<Record<string, WasmMap>> = {},
): EngineProgram {
  return engine.load(instance, program, (reference) => {
    const map = maps[reference.map]!;
    if (reference.kind === "map") return map.address;
    return instance.exports.rt_map_values(map.handle) + reference.offset;
  });
}

export function createMap(instance: RuntimeInstance, spec: Partial<MapSpec> = {}): WasmMap {
  return new WasmMap(instance, {
    name: "map",
    type: MAP_TYPE.array,
    keySize: 4,
    valueSize: 8,
    maxEntries: 1,
    flags: 0,
    ...spec,
  });
}

/** Puts programs into the first entries of a new program array. */
export function programArray(
  instance: RuntimeInstance,
  programs: readonly EngineProgram[],
  maxEntries = Math.max(1, programs.length),
): WasmMap {
  const map = createMap(instance, { type: MAP_TYPE.prog_array, valueSize: 4, maxEntries });
  fillProgramArray(map, programs);
  return map;
}

export function fillProgramArray(map: WasmMap, programs: readonly EngineProgram[]): void {
  programs.forEach((program, index) => {
    const words = Uint32Array.of(index, program.handle);
    const bytes = new Uint8Array(words.buffer);
    map.update(bytes.subarray(0, 4), bytes.subarray(4, 8));
  });
}

/** Assembles, loads and runs once with a context of `context` bytes; returns r0. */
export function runText(
  instance: RuntimeInstance,
  text: string,
  context: Uint8Array = new Uint8Array(),
): bigint {
  const program = loadProgram(instance, link(text));
  const address = context.length === 0 ? 0 : instance.createContext(context.length, true);
  instance.u8.set(context, address);
  instance.run(program.handle, address);
  context.set(instance.u8.subarray(address, address + context.length));
  return instance.result64;
}
