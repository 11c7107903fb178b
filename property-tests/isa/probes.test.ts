/** What compiled code tells about a run is what the reference does: every step, every count. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { programBytes, randomProgram } from "#property-tests/arbitraries/programs.ts";
import { REFERENCE_HELPERS } from "#property-tests/isa/executors.ts";
import { execute, type Helper } from "#property-tests/isa/reference.ts";
import { DEFAULT_LAYOUT, FRAME_BYTES } from "#property-tests/isa/reference_memory.ts";
import { ResidentMachine } from "#property-tests/isa/resident_machine.ts";
import { checkProperty } from "#property-tests/property.ts";
import { countInstructions, type InstructionCounts } from "#wasm/coverage/block_counts.ts";
import { aotEngine } from "#wasm/engines/aot/aot.ts";
import { counterBytes } from "#wasm/engines/aot/emit_probes.ts";
import type { Engine } from "#wasm/engines/engine.ts";
import type { Instrument } from "#wasm/engines/probes.ts";
import { Code, OPCODE, SLOT_BYTES } from "#wasm/loader/instructions.ts";

const REGISTERS = 11;
const FRAME_POINTER = 10;
/** Reference frames lie this far apart, upwards; those of the machine a frame apart, downwards. */
const REFERENCE_FRAME_DISTANCE = 0x1_0000n;

interface Step {
  readonly slot: number;
  readonly registers: readonly (bigint | undefined)[];
}

/** The compiling engine with probes in everything that it loads. */
function instrumented(instrument: Instrument): Engine {
  return {
    ...aotEngine,
    load: (instance, program, resolve, options) =>
      aotEngine.load(instance, program, resolve, { ...options, instrument }),
  };
}

/** Answers of the machine's helpers, in order, for the reference to give. */
function answersOf(steps: readonly Step[], code: Code): ReadonlyMap<number, Helper> {
  const answers: bigint[] = [];
  steps.forEach(({ slot }, index) => {
    const helper = code.opcode(slot) === OPCODE.CALLX || code.source(slot) === 0;
    if (!helper || (code.opcode(slot) & ~8) !== OPCODE.CALL) return;
    answers.push(steps[index + 1]!.registers[0]!);
  });
  return new Map([...REFERENCE_HELPERS.keys()].map((id) => [id, () => answers.shift()!]));
}

/** Where a value of the reference stands on the machine: pointers are other numbers there. */
function translate(value: bigint, context: bigint, stack: bigint, bytes: number): bigint {
  const offset = value - DEFAULT_LAYOUT.context;
  if (offset >= 0n && offset <= BigInt(bytes)) return context + offset;
  const below = value - DEFAULT_LAYOUT.stack;
  const frame = below / REFERENCE_FRAME_DISTANCE;
  const within = below % REFERENCE_FRAME_DISTANCE;
  if (below < 0n || frame >= 8n || within > BigInt(FRAME_BYTES)) return value;
  return stack - BigInt(FRAME_BYTES) * (frame + 1n) + within;
}

describe("what compiled code tells", () => {
  it("is every step of the reference, with its registers", async () => {
    let steps: Step[] = [];
    let registers = 0;
    const engine = instrumented((instance) => {
      registers ||= instance.alloc(8 * REGISTERS);
      const before = (slot: number): void => {
        const values = new BigUint64Array(instance.u8.buffer, registers, REGISTERS);
        steps.push({ slot, registers: [...values] });
      };
      return { step: { registers, before } };
    });
    const machine = await ResidentMachine.create(engine);
    const property = fc.property(randomProgram, (random) => {
      const program = programBytes(random);
      steps = [];
      machine.run(program, random.memory);
      const helpers = answersOf(steps, new Code(program));
      const [, context] = steps[0]!.registers;
      const stack = steps[0]!.registers[FRAME_POINTER]!;
      const expected: Step[] = [];
      const before = (slot: number, values: Step["registers"]): void => {
        const told = values.map((value) =>
          value === undefined ? value : translate(value, context!, stack, random.memory.length),
        );
        expected.push({ slot, registers: told });
      };
      execute(program, { memory: random.memory.slice(), helpers, before });
      expect(steps.map(({ slot }) => slot)).toEqual(expected.map(({ slot }) => slot));
      const comparable = expected.map(({ registers }, step) =>
        registers.map((value, register) => value ?? steps[step]!.registers[register]),
      );
      expect(steps.map(({ registers }) => registers)).toEqual(comparable);
    });
    checkProperty("steps of random programs: aot", property);
  });

  it("is how often the reference executes each instruction and takes each jump", async () => {
    let counts: InstructionCounts | undefined;
    const engine = instrumented((instance, program) => {
      const bytes = counterBytes(program.code.length / SLOT_BYTES);
      const counters = instance.alloc(bytes);
      const view = new BigUint64Array(instance.u8.buffer, counters, bytes / 8);
      const released = (): void => {
        counts = countInstructions(program, view);
        instance.free(counters);
      };
      return { counters, released };
    });
    const machine = await ResidentMachine.create(engine);
    const property = fc.property(randomProgram, (random) => {
      const program = programBytes(random);
      machine.run(program, random.memory);
      const executed = new Float64Array(program.length / SLOT_BYTES);
      const taken = new Float64Array(program.length / SLOT_BYTES);
      let last = 0;
      execute(program, {
        memory: random.memory.slice(),
        helpers: REFERENCE_HELPERS,
        before: (slot) => {
          last = slot;
          executed[slot]! += 1;
        },
        trace: (_, jumped) => {
          if (jumped === true) taken[last]! += 1;
        },
      });
      expect(counts!.executed).toEqual(executed);
      for (const jump of counts!.jumps) {
        const expected = {
          taken: taken[jump.slot]!,
          notTaken: executed[jump.slot]! - taken[jump.slot]!,
        };
        expect(jump).toEqual({ slot: jump.slot, ...expected });
      }
    });
    checkProperty("counts of random programs: aot", property);
  });
});
