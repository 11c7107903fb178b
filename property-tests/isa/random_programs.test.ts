import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { programBytes, randomProgram } from "#property-tests/arbitraries/programs.ts";
import { REFERENCE_HELPERS } from "#property-tests/isa/executors.ts";
import { PLAIN_FORMS } from "#property-tests/isa/invalid_instructions.ts";
import { findForm, isConditionalJump } from "#property-tests/isa/opcodes.ts";
import { execute } from "#property-tests/isa/reference.ts";
import { ResidentMachine } from "#property-tests/isa/resident_machine.ts";
import { checkProperty } from "#property-tests/property.ts";
import { ENGINES } from "#wasm/engines/engines.ts";

describe("random programs", () => {
  it("are valid and end, on the reference", () => {
    const property = fc.property(randomProgram, (random) => {
      const memory = random.memory.slice();
      execute(programBytes(random), {
        memory,
        helpers: REFERENCE_HELPERS,
        instructions_max: 20_000,
      });
    });
    checkProperty("random programs end on the reference", property);
  });

  it("execute every instruction, every conditional jump both ways", () => {
    const missing = new Set(
      PLAIN_FORMS.filter(({ group }) => group !== "callx").flatMap((form) =>
        isConditionalJump(form) ? [`${form.name} true`, `${form.name} false`] : [form.name],
      ),
    );
    const samples = fc.sample(randomProgram, { seed: 1, numRuns: 1500 })[Symbol.iterator]();
    for (const random of samples) {
      if (missing.size === 0) break;
      execute(programBytes(random), {
        memory: random.memory.slice(),
        helpers: REFERENCE_HELPERS,
        trace: (instruction, taken) => {
          const suffix = taken === undefined ? "" : ` ${taken}`;
          missing.delete(findForm(instruction)!.name + suffix);
        },
      });
    }
    expect([...missing]).toEqual([]);
  });

  it.each(ENGINES)("give on $name what the reference gives", async (engine) => {
    const machine = await ResidentMachine.create(engine);
    const property = fc.property(randomProgram, (random) => {
      const program = programBytes(random);
      const memory = random.memory.slice();
      const expected = execute(program, { memory, helpers: REFERENCE_HELPERS });
      expect(machine.run(program, random.memory)).toBe(expected);
    });
    checkProperty(`random programs: ${engine.name}`, property);
  });
});
