/** A program without an object: bytes of instructions, as conformance runners hand them over. */
import { BpfError, ERRNO } from "#core/errors.ts";
import { CALL_SOURCE, Code, OPCODE, SLOT_BYTES } from "#wasm/loader/instructions.ts";
import type { LinkedProgram } from "#wasm/loader/linked_program.ts";

/** The first function is the entry; every target of a local call starts another. */
export function bareProgram(code: Uint8Array, name = "program"): LinkedProgram {
  if (code.length === 0 || code.length % SLOT_BYTES !== 0) {
    throw new BpfError(`load program ${name}`, `${code.length} bytes are no whole instructions`, {
      errno: ERRNO.EINVAL,
      hint: "give 8 bytes for each instruction",
    });
  }
  const starts = [...functionStarts(new Code(code))].sort((left, right) => left - right);
  const slots = code.length / SLOT_BYTES;
  return {
    name,
    section: "",
    code,
    references: [],
    subprograms: starts.map((start, index) => ({
      name: index === 0 ? name : `function_${start}`,
      start,
      length: (starts[index + 1] ?? slots) - start,
    })),
    lines: [],
    poisoned: [],
  };
}

function functionStarts(code: Code): Set<number> {
  const starts = new Set([0]);
  for (let slot = 0; slot < code.slots; slot++) {
    const local = code.opcode(slot) === OPCODE.CALL && code.source(slot) === CALL_SOURCE.LOCAL;
    const target = slot + 1 + code.imm(slot);
    // A target outside the program starts nothing; loading refuses the call.
    if (local && target >= 0 && target < code.slots) starts.add(target);
    if (code.isLddw(slot)) slot++;
  }
  return starts;
}
