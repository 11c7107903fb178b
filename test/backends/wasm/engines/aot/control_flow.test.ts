import { describe, expect, it } from "vitest";
import { assemble } from "#property-tests/isa/assembler.ts";
import { bareProgram } from "#wasm/bare_program.ts";
import { type ControlFlow, controlFlow } from "#wasm/engines/aot/control_flow.ts";
import { takeApart } from "#wasm/engines/function_code.ts";

function flowOf(text: string): ControlFlow {
  const code = takeApart(bareProgram(assemble(text)));
  return controlFlow(code, code.functions[0]!);
}

/** Blocks as `start-end`, with where they lead, by the slot where blocks start. */
function edges(text: string): string[] {
  const { blocks, successors } = flowOf(text);
  return blocks.map(({ start, end }, node) => {
    const targets = successors[node]!.map((target) => blocks[target]!.start);
    return `${start}-${end} -> ${targets.join(",")}`;
  });
}

describe("control flow", () => {
  it("of straight code is one block", () => {
    expect(edges("mov %r0, 0\nlddw %r1, 5\nexit")).toEqual(["0-4 -> "]);
  });

  it("of a condition falls through first, then jumps", () => {
    const text = "mov %r0, 0\njeq %r1, 0, out\nmov %r0, 1\nout:\nexit";
    expect(edges(text)).toEqual(["0-2 -> 2,3", "2-3 -> 3", "3-4 -> "]);
  });

  it("leaves out what nothing reaches", () => {
    expect(edges("mov %r0, 0\nja out\nmov %r0, 1\nout:\nexit")).toEqual(["0-2 -> 3", "3-4 -> "]);
  });

  it("of a jump to the next instruction has one edge", () => {
    expect(edges("mov %r0, 0\njeq %r1, 0, +0\nexit")).toEqual(["0-2 -> 2", "2-3 -> "]);
  });

  it("gives a loop at the function's start an entry of its own", () => {
    const text = "top:\nadd %r1, 1\njne %r1, 0, top\nmov %r0, 0\nexit";
    expect(edges(text)).toEqual(["0-0 -> 0", "0-2 -> 2,0", "2-4 -> "]);
  });
});
