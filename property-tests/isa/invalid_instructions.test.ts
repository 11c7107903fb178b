import { describe, expect, it } from "vitest";
import { UsageError } from "#cli/usage_error.ts";
import { BpfError, ProgramFault } from "#core/errors.ts";
import { EXECUTORS } from "#property-tests/isa/executors.ts";
import {
  invalidJumps,
  missingRegisters,
  PLAIN_FORMS,
  unfinishedPrograms,
  unknownOpcodes,
  unusedFieldsSet,
  validJumps,
  validProgram,
} from "#property-tests/isa/invalid_instructions.ts";
import { ProgramRejected } from "#property-tests/isa/reference_checks.ts";

const NOTHING = new Uint8Array();

/** Of a program before it ran: a fault would be one that ran. */
function isRefusal(error: unknown): boolean {
  if (error instanceof ProgramFault) return false;
  return [ProgramRejected, BpfError, UsageError].some((kind) => error instanceof kind);
}

describe.each(EXECUTORS)("load-time checks of $name", (engine) => {
  async function accepted(programs: Iterable<{ name: string; program: Uint8Array }>) {
    const names: string[] = [];
    for (const { name, program } of programs) {
      try {
        await engine.run(program, NOTHING);
        names.push(name);
      } catch (error) {
        if (!isRefusal(error))
          throw new Error(`${name} was not refused, but ran`, { cause: error });
      }
    }
    return names;
  }

  it("accept a program with each instruction of the table", async () => {
    const programs = PLAIN_FORMS.map((form) => ({ name: form.name, program: validProgram(form) }));
    expect(await accepted(programs)).toEqual(programs.map(({ name }) => name));
  });

  it("refuse every unused field that is not zero", async () => {
    expect(await accepted(unusedFieldsSet())).toEqual([]);
  });

  it("refuse every unknown opcode", async () => {
    expect(await accepted(unknownOpcodes())).toEqual([]);
  });

  it("accept every jump and call to an instruction of its function", async () => {
    const programs = [...validJumps()];
    expect(await accepted(programs)).toEqual(programs.map(({ name }) => name));
  });

  it("refuse every jump and call to where no instruction of its function is", async () => {
    const programs = [...invalidJumps()];
    expect(programs.length).toBeGreaterThan(90);
    expect(await accepted(programs)).toEqual([]);
  });

  it("refuse programs that end in the middle of something", async () => {
    expect(await accepted(unfinishedPrograms())).toEqual([]);
  });

  it("refuse registers from r11 on", async () => {
    expect(await accepted(missingRegisters())).toEqual([]);
  });
});
