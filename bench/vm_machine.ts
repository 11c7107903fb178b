/** The simulated machine as `bench vm` uses it: one CPU, programs in assembler. */
import { readArtifact } from "#cli/artifacts.ts";
import { assemble } from "#property-tests/isa/assembler.ts";
import { bareProgram } from "#wasm/bare_program.ts";
import type { Engine, EngineProgram } from "#wasm/engines/engine.ts";
import { RuntimeInstance } from "#wasm/instance.ts";
import type { LinkedProgram } from "#wasm/loader/linked_program.ts";
import type { WasmMap } from "#wasm/map.ts";

const BUDGET = 1_000_000_000;
/** Rounds before those that count: V8 compiles hot functions anew in the background. */
const WARM_UP_ROUNDS = 4;
const PAUSE_MS = 5;

export const createInstance = async (): Promise<RuntimeInstance> => {
  const wasm = readArtifact("wasm/runtime.wasm") as Uint8Array<ArrayBuffer>;
  const instance = await RuntimeInstance.create({ wasm, cpus: 1 });
  instance.setBudget(BUDGET);
  return instance;
};

/** Loads a program whose only references, LDDWs of `map`, are the instructions `lddw %r1, 0`. */
export function load(
  engine: Engine,
  instance: RuntimeInstance,
  text: string,
  map?: WasmMap,
): EngineProgram {
  const bare = bareProgram(assemble(text));
  return engine.load(instance, map === undefined ? bare : withMap(bare), () => map!.address);
}

function withMap(program: LinkedProgram): LinkedProgram {
  const LOAD_R1 = 0x0118; // opcode, and r1 as the destination
  const view = new DataView(program.code.buffer, program.code.byteOffset, program.code.length);
  const references: LinkedProgram["references"][number][] = [];
  for (let slot = 0; slot < program.code.length / 8; slot++) {
    if (view.getUint16(8 * slot, true) === LOAD_R1)
      references.push({ kind: "map", slot, map: "map" });
  }
  return { ...program, references };
}

/** Nanoseconds of each of `rounds` calls, after some that warm the engine up. */
export async function measureRounds(
  rounds: number,
  round: () => void,
  warmUpRounds = WARM_UP_ROUNDS,
): Promise<number[]> {
  const rounds_ns: number[] = [];
  for (let index = -warmUpRounds; index < rounds; index++) {
    const started = performance.now();
    round();
    if (index >= 0) rounds_ns.push((performance.now() - started) * 1e6);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  return rounds_ns;
}
