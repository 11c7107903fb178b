import { describe, expect, it } from "vitest";
import { readCases } from "#property-tests/isa/case_file.ts";
import { decode } from "#property-tests/isa/encoding.ts";
import { REFERENCE_HELPERS } from "#property-tests/isa/executors.ts";
import { CASES_FOLDER } from "#property-tests/isa/generate_cases.ts";
import { PLAIN_FORMS } from "#property-tests/isa/invalid_instructions.ts";
import { findForm, INSTRUCTION_FORMS, isConditionalJump } from "#property-tests/isa/opcodes.ts";
import { execute } from "#property-tests/isa/reference.ts";

const cases = readCases(CASES_FOLDER);

/** Names of the rows that some case executes; conditional jumps with ` taken` or ` not taken`. */
function executedForms(): Set<string> {
  const executed = new Set<string>();
  for (const { program, memory, expected } of cases) {
    if (!("r0" in expected)) continue;
    execute(program, {
      memory: memory.slice(),
      helpers: REFERENCE_HELPERS,
      trace: (instruction, taken) => {
        const suffix = taken === undefined ? "" : taken ? " taken" : " not taken";
        executed.add(findForm(instruction)!.name + suffix);
      },
    });
  }
  return executed;
}

function formsIn(selected: typeof cases): Set<string | undefined> {
  return new Set(
    selected.flatMap(({ program }) => decode(program).map((slot) => findForm(slot)?.name)),
  );
}

describe("coverage of the instruction table by the cases", () => {
  it("executes every instruction, every conditional jump both taken and not taken", () => {
    const wanted = PLAIN_FORMS.flatMap((form) =>
      isConditionalJump(form) ? [`${form.name} taken`, `${form.name} not taken`] : [form.name],
    );
    const executed = executedForms();
    expect(wanted.filter((name) => !executed.has(name))).toEqual([]);
  });

  it("has a negative case for every instruction that only a platform gives a meaning", () => {
    const refused = formsIn(cases.filter(({ expected }) => "error" in expected));
    const platform = INSTRUCTION_FORMS.filter(
      ({ group }) => group === "platform" || group === "packet",
    );
    expect(platform.filter(({ name }) => !refused.has(name))).toEqual([]);
  });

  it("keeps every row of the table distinct", () => {
    const keys = INSTRUCTION_FORMS.map(({ opcode, src, offset, imm }) =>
      [opcode, src, offset, imm].join(),
    );
    expect(new Set(keys).size).toBe(INSTRUCTION_FORMS.length);
    expect(new Set(INSTRUCTION_FORMS.map(({ name }) => name)).size).toBe(INSTRUCTION_FORMS.length);
  });

  it("has at least 300 cases", () => {
    expect(cases.length).toBeGreaterThanOrEqual(300);
  });
});
