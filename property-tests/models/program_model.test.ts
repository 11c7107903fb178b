/** That the model of programs rejects what a wrong backend would answer. */

import { describe, expect, test } from "vitest";
import { MAP_TYPE } from "#core/backend.ts";
import { ERRNO } from "#core/errors.ts";
import { u32Bytes } from "./bytes.ts";
import { kernelFeatures } from "./kernel_version.ts";
import { modelOf } from "./map_models.ts";
import { type ProgramCall, ProgramModel, type ProgramOutcome } from "./program_model.ts";

const CPUS = 2;

function modelFor(type: keyof typeof MAP_TYPE): ProgramModel {
  const spec = {
    name: type,
    type: MAP_TYPE[type],
    keySize: 4,
    valueSize: 8,
    maxEntries: 2,
    flags: 0,
  };
  const context = { kernel: kernelFeatures("6.18"), cpus: CPUS, maps: [] };
  return new ProgramModel(modelOf(spec.type)!.create(spec, context), CPUS);
}

function call(kind: ProgramCall["kind"], fields: Partial<ProgramCall> = {}): ProgramCall {
  return { kind, key: u32Bytes(1), value: 0n, flags: 0, cpu: 0, limit: 9, ...fields };
}

function outcome(fields: Partial<ProgramOutcome> = {}): ProgramOutcome {
  return { errno: 0, count: 0, value: 0n, ...fields };
}

describe("per-CPU maps", () => {
  test("a value that shows on another CPU is rejected, its own CPU's zero accepted", () => {
    for (const type of ["percpu_array", "percpu_hash"] as const) {
      const model = modelFor(type);
      expect(model.judge(call("update", { value: 7n, cpu: 1 }), outcome())).toBeUndefined();
      expect(model.judge(call("lookup", { cpu: 0 }), outcome({ value: 7n }))).toContain("expected");
      expect(model.judge(call("lookup", { cpu: 0 }), outcome({ value: 0n }))).toBeUndefined();
      expect(model.judge(call("lookup", { cpu: 1 }), outcome({ value: 7n }))).toBeUndefined();
    }
  });

  test("a CPU that does not exist has no value", () => {
    const model = modelFor("percpu_array");
    const past = call("lookup_percpu", { limit: CPUS });
    expect(model.judge(past, outcome({ errno: ERRNO.ENOENT }))).toBeUndefined();
    expect(model.judge(past, outcome())).toContain("expected ENOENT");
  });
});

describe("visits", () => {
  test("too few elements, a wrong sum and accepted flags are rejected", () => {
    const model = modelFor("array");
    expect(model.judge(call("update", { value: 5n }), outcome())).toBeUndefined();
    const sum = 1000003n + 5n;
    expect(model.judge(call("visit"), outcome({ count: 2, value: sum }))).toBeUndefined();
    expect(model.judge(call("visit"), outcome({ count: 1, value: sum }))).toContain("2 elements");
    expect(model.judge(call("visit"), outcome({ count: 2, value: 5n }))).toContain("sum");
    const flagged = call("visit", { flags: 1 });
    expect(model.judge(flagged, outcome({ count: 2, value: sum }))).toContain("EINVAL");
  });
});

test("an addition that is lost is rejected", () => {
  const model = modelFor("hash");
  expect(model.judge(call("update", { value: 1n }), outcome())).toBeUndefined();
  expect(model.judge(call("add", { value: 2n }), outcome())).toBeUndefined();
  expect(model.judge(call("lookup"), outcome({ value: 1n }))).toContain("expected");
});

test("an operation that a map does not have is rejected, whatever the answer", () => {
  expect(modelFor("hash").judge(call("read_updated"), outcome())).toContain("no operation");
});
