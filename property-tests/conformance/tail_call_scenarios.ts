/** Tail calls, and program arrays with programs in them. */

import { expect, test } from "vitest";
import type { BpfObject } from "#core/backend.ts";
import { ERRNO } from "#core/errors.ts";
import { u32Bytes } from "#property-tests/models/bytes.ts";
import { perform } from "./map_call.ts";
import { runProgram } from "./program_abi.ts";
import type { WithObject } from "./program_scenarios.ts";
import { compileProgram } from "./program_subjects.ts";

/** Tail calls in one invocation. */
const TAIL_CALLS_MAX = 33n;
const FELL_THROUGH = 2;
const TARGET_RETURNED = 3;

export function tailCallScenarios(withObject: WithObject): void {
  const scenario = (name: string, body: (object: BpfObject) => void) =>
    test(`tail calls: ${name}`, () => withObject(compileProgram("tail_calls"), body));
  const call = (object: BpfObject, slot: number) =>
    runProgram(object, "call_itself", { key: u32Bytes(slot), value: 99n }, 0);
  const store = (object: BpfObject, slot: number, program: string) => {
    const handle = object.programs.get(program)!.handle;
    object.maps.get("programs")!.update(u32Bytes(slot), u32Bytes(handle));
  };

  scenario("an empty slot and one past the end fall through", (object) => {
    for (const slot of [0, 2, 0xffffffff]) {
      expect(call(object, slot)).toMatchObject({ returnValue: FELL_THROUGH, result: -1n });
    }
  });

  scenario("one that succeeds does not come back", (object) => {
    store(object, 1, "target");
    expect(call(object, 1)).toMatchObject({ returnValue: TARGET_RETURNED, result: 99n });
    expect(object.maps.get("programs")!.delete(u32Bytes(1))).toBe(true);
    expect(call(object, 1).returnValue).toBe(FELL_THROUGH);
  });

  scenario("33 in one invocation, then they fail; the next invocation starts anew", (object) => {
    store(object, 0, "call_itself");
    for (const invocation of [1n, 2n]) {
      const { value, returnValue } = call(object, 0);
      expect(value).toBe(invocation * (TAIL_CALLS_MAX + 1n));
      expect(returnValue).toBe(FELL_THROUGH);
    }
  });

  scenario("a stored program is found, replaced and deleted like any element", (object) => {
    const programs = object.maps.get("programs")!;
    const lookUp = () => perform(programs, { kind: "lookup", key: u32Bytes(0), flags: 0 });
    expect(lookUp()).toEqual({ errno: ERRNO.ENOENT });
    store(object, 0, "target");
    const target = lookUp();
    store(object, 0, "call_itself");
    const itself = lookUp();
    expect([target.errno, itself.errno]).toEqual([0, 0]);
    expect(itself.value).not.toBe(target.value);
    expect(programs.delete(u32Bytes(0))).toBe(true);
    expect(lookUp()).toEqual({ errno: ERRNO.ENOENT });
  });
}
