import { describe, expect, it } from "vitest";
import type { Reference } from "#wasm/loader/linked_program.ts";
import {
  createInstance,
  fillProgramArray,
  link,
  loadProgram,
  programArray,
} from "./program_fixture.ts";

const mapAt = (slot: number): Reference => ({ kind: "map", slot, map: "array" });

describe("tail calls", () => {
  // Counts its runs in the context, then calls itself.
  const SELF = `
    ldxdw %r2, [%r1]
    add %r2, 1
    stxdw [%r1], %r2
    lddw %r2, 0
    mov %r3, 0
    call 12
    mov %r0, 7
    exit`;

  it("are granted 33 times, then fall through", async () => {
    const instance = await createInstance();
    const array = programArray(instance, [], 1);
    const program = loadProgram(instance, link(SELF, [mapAt(3)]), { array });
    fillProgramArray(array, [program]);
    const context = instance.createContext(8, true);
    expect(instance.run(program.handle, context)).toBe(7);
    expect(instance.view.getBigUint64(context, true)).toBe(34n);
  });

  it("are counted anew in every run", async () => {
    const instance = await createInstance();
    const array = programArray(instance, [], 1);
    const program = loadProgram(instance, link(SELF, [mapAt(3)]), { array });
    fillProgramArray(array, [program]);
    const context = instance.createContext(8, true);
    for (let run = 1; run <= 3; run++) instance.run(program.handle, context);
    expect(instance.view.getBigUint64(context, true)).toBe(3n * 34n);
  });

  it("never return to the entry function that made them", async () => {
    const instance = await createInstance();
    const target = loadProgram(instance, link("mov %r0, 5\nexit"));
    const array = programArray(instance, [target]);
    const caller = link("lddw %r2, 0\nmov %r3, 0\ncall 12\nmov %r0, 9\nexit", [mapAt(0)]);
    expect(instance.run(loadProgram(instance, caller, { array }).handle, 0)).toBe(5);
  });

  it("return to the caller of the subprogram that made them", async () => {
    const instance = await createInstance();
    const target = loadProgram(instance, link("mov %r0, 5\nexit"));
    const array = programArray(instance, [target]);
    const text = `
      mov %r6, 100
      call local sub
      add %r0, %r6
      exit
      sub:
      lddw %r2, 0
      mov %r3, 0
      call 12
      mov %r0, 9
      exit`;
    const program = loadProgram(instance, link(text, [mapAt(4)]), { array });
    expect(instance.run(program.handle, 0)).toBe(105);
  });

  it("out of subprograms are granted 33 times, with the stacks of all callers intact", async () => {
    const instance = await createInstance();
    const array = programArray(instance, [], 1);
    // Each level keeps its depth on its stack across the call, and adds it up on the way back.
    const text = `
      ldxdw %r6, [%r1]
      add %r6, 1
      stxdw [%r1], %r6
      stxdw [%r10-8], %r6
      call local sub
      ldxdw %r6, [%r10-8]
      add %r0, %r6
      exit
      sub:
      stdw [%r10-8], 77
      lddw %r2, 0
      mov %r3, 0
      call 12
      mov %r0, 0
      exit`;
    const program = loadProgram(instance, link(text, [mapAt(9)]), { array });
    fillProgramArray(array, [program]);
    const context = instance.createContext(8, true);
    instance.run(program.handle, context);
    expect(instance.view.getBigUint64(context, true)).toBe(34n);
    expect(instance.result64).toBe((34n * 35n) / 2n);
  });

  it("to an empty slot or beyond the array fall through", async () => {
    const instance = await createInstance();
    const array = programArray(instance, [], 2);
    for (const index of [1, 2]) {
      const text = `lddw %r2, 0\nmov %r3, ${index}\ncall 12\nmov %r0, 9\nexit`;
      const program = loadProgram(instance, link(text, [mapAt(0)]), { array });
      expect(instance.run(program.handle, 0)).toBe(9);
    }
  });

  it("reach a program whose handle was closed while the array holds it", async () => {
    const instance = await createInstance();
    const target = loadProgram(instance, link("mov %r0, 5\nexit"));
    const array = programArray(instance, [target]);
    target.close();
    target.close();
    const text = "lddw %r2, 0\nmov %r3, 0\ncall 12\nmov %r0, 9\nexit";
    const program = loadProgram(instance, link(text, [mapAt(0)]), { array });
    expect(instance.run(program.handle, 0)).toBe(5);
  });

  it("out of deep subprograms fault when the stack is used up, and harm nothing", async () => {
    const instance = await createInstance();
    const array = programArray(instance, [], 1);
    const deep = [1, 2, 3, 4, 5, 6]
      .map((n) => `f${n}:\nstdw [%r10-512], ${n}\ncall local f${n + 1}\nexit`)
      .join("\n");
    const text = `
      call local f1
      exit
      ${deep}
      f7:
      stdw [%r10-512], 7
      lddw %r2, 0
      mov %r3, 0
      call 12
      mov %r0, 0
      exit`;
    const program = loadProgram(instance, link(text, [mapAt(21)]), { array });
    fillProgramArray(array, [program]);
    expect(() => instance.run(program.handle, 0)).toThrow(/nested frames/);
    const used = instance.exports.rt_memory_used();
    expect(() => instance.run(program.handle, 0)).toThrow(/nested frames/);
    expect(instance.exports.rt_memory_used()).toBe(used);
  });

  it("that lead to a fault name the program that made it", async () => {
    const instance = await createInstance();
    const broken = { ...link("mov %r0, 0\nldxb %r0, [%r0]\nexit"), name: "broken" };
    const array = programArray(instance, [loadProgram(instance, broken)]);
    const caller = link("lddw %r2, 0\nmov %r3, 0\ncall 12\nmov %r0, 9\nexit", [mapAt(0)]);
    const program = loadProgram(instance, caller, { array });
    expect(() => instance.run(program.handle, 0)).toThrow(/program broken, instruction 1 /);
  });
});
