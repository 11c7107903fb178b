import { describe, expect, it } from "vitest";
import { assemble } from "#property-tests/isa/assembler.ts";
import { bareProgram } from "#wasm/bare_program.ts";
import { aotEngine } from "#wasm/engines/aot/aot.ts";
import type { RuntimeInstance } from "#wasm/instance.ts";
import { createInstance } from "../../../../wasm/program_fixture.ts";

const load = (instance: RuntimeInstance, code: Uint8Array) =>
  aotEngine.load(instance, bareProgram(code), () => 0);

describe("may_goto", () => {
  it("leaves a loop after 8,388,608 rounds", async () => {
    const instance = await createInstance();
    instance.setBudget(100_000_000);
    const code = assemble("mov %r0, 0\nja +2\nadd %r0, 1\nja -3\nexit");
    code[8] = 0xe5;
    instance.run(load(instance, code).handle, 0);
    expect(instance.result64).toBe(8_388_608n);
  });
});

describe("places in the function table", () => {
  it("are used again after a program is closed", async () => {
    const instance = await createInstance();
    const code = assemble("mov %r0, 7\nexit");
    load(instance, code).close();
    const length = instance.exports.__indirect_function_table.length;
    for (let round = 0; round < 50; round++) {
      const program = load(instance, code);
      expect(instance.run(program.handle, 0)).toBe(7);
      program.close();
    }
    expect(instance.exports.__indirect_function_table.length).toBe(length);
  });

  it("are given back when a program is refused", async () => {
    const instance = await createInstance();
    const before = instance.exports.__indirect_function_table.length;
    const used = instance.exports.rt_memory_used();
    for (let round = 0; round < 5; round++) {
      expect(() => load(instance, assemble("call 9999\nexit"))).toThrow(/unknown helper 9999/);
    }
    expect(instance.exports.__indirect_function_table.length).toBe(before + 1);
    expect(instance.exports.rt_memory_used()).toBe(used);
  });
});
