/** What programs see that random operations on one map do not show. */

import { describe, expect, test } from "vitest";
import type { Backend, BpfObject, OpenOptions } from "#core/backend.ts";
import { UPDATE } from "#core/backend.ts";
import { ERRNO, ProgramFault } from "#core/errors.ts";
import { hex, u32Bytes } from "#property-tests/models/bytes.ts";
import type { KernelFeatures } from "#property-tests/models/kernel_version.ts";
import { innerMapScenarios } from "./inner_map_scenarios.ts";
import { perform } from "./map_call.ts";
import type { ConformanceOptions } from "./options.ts";
import { PROGRAM_OPERATION, type ProgramArguments, runProgram } from "./program_abi.ts";
import { compileProgram, compileSubject, type ProgramSubject } from "./program_subjects.ts";
import { tailCallScenarios } from "./tail_call_scenarios.ts";

/** Opens and loads an object for the time of `body`. */
export type WithObject = (
  bytes: Uint8Array,
  body: (object: BpfObject) => void,
  options?: OpenOptions,
) => void;

export function programScenarios(
  backend: () => Backend,
  kernel: KernelFeatures,
  { staleUsesFault = false }: ConformanceOptions,
): void {
  const withObject: WithObject = (bytes, body, options) => {
    const object = backend().open(bytes, options);
    try {
      object.load();
      body(object);
    } finally {
      object.close();
    }
  };
  describe("scenarios", () => {
    lruScenarios(withObject);
    stalePointerScenarios(withObject, staleUsesFault);
    percpuScenarios(withObject, backend);
    lockScenarios(withObject);
    innerMapScenarios(withObject, backend);
    tailCallScenarios(withObject);
    if (kernel.loopHelper) loopScenarios(withObject);
  });
}

function subjectOf(type: ProgramSubject["type"], flags = 0): ProgramSubject {
  return { name: type, type, flags, operations: ["lookup", "update", "delete", "add"] };
}

function ask(object: BpfObject, request: ProgramArguments, cpu = 0) {
  return runProgram(object, "operate", request, cpu);
}

function insert(object: BpfObject, key: number, value: bigint, cpu = 0): void {
  const { result } = ask(
    object,
    { operation: PROGRAM_OPERATION.update, key: u32Bytes(key), value },
    cpu,
  );
  expect(result).toBe(0n);
}

function keysOf(object: BpfObject): string[] {
  return [...perform(object.maps.get("subject")!, { kind: "walk", from: null }).keys!].sort();
}

function lruScenarios(withObject: WithObject): void {
  const lru = () => compileSubject(subjectOf("lru_hash"));
  const two = { maxEntries: { subject: 2 } };

  test("lru_hash of two: what a program looked up outlives what it did not", () => {
    const body = (object: BpfObject) => {
      insert(object, 1, 10n);
      insert(object, 2, 20n);
      expect(ask(object, { operation: PROGRAM_OPERATION.lookup, key: u32Bytes(1) }).value).toBe(
        10n,
      );
      insert(object, 3, 30n);
      expect(keysOf(object)).toEqual([hex(u32Bytes(1)), hex(u32Bytes(3))]);
    };
    withObject(lru(), body, two);
  });

  test("lru_hash of two: a lookup from user space does not save a key", () => {
    const body = (object: BpfObject) => {
      insert(object, 1, 10n);
      insert(object, 2, 20n);
      expect(object.maps.get("subject")!.lookup(u32Bytes(1), new Uint8Array(8))).toBe(true);
      insert(object, 3, 30n);
      // Kernels that free many at a time give up the younger one too (`DIFFERENCES.lruVictims`).
      const keys = keysOf(object);
      expect(keys).toContain(hex(u32Bytes(3)));
      expect(keys).not.toContain(hex(u32Bytes(1)));
    };
    withObject(lru(), body, two);
  });
}

function stalePointerScenarios(withObject: WithObject, faults: boolean): void {
  /** What the program answers; undefined where a use of what it removed must fault, and does. */
  const askStale = (object: BpfObject, request: ProgramArguments) => {
    if (!faults) return ask(object, request);
    expect(() => ask(object, request)).toThrow(ProgramFault);
    return undefined;
  };
  const key = u32Bytes(1);
  const replaced = ["hash", "lru_hash"] as const;
  const inPlace = ["array", "percpu_array", "percpu_hash"] as const;

  test.each([...replaced, ...inPlace])("%s: what an old pointer reads after an update", (type) => {
    withObject(compileSubject(subjectOf(type)), (object) => {
      insert(object, 1, 10n);
      const isReplaced = (replaced as readonly string[]).includes(type);
      const request = { operation: PROGRAM_OPERATION.read_updated, key, value: 11n };
      const seen = isReplaced ? askStale(object, request) : ask(object, request);
      if (seen !== undefined) {
        expect(seen).toMatchObject({ result: 0n, value: isReplaced ? 10n : 11n });
      }
      expect(ask(object, { operation: PROGRAM_OPERATION.lookup, key }).value).toBe(11n);
    });
  });

  test.each(["hash", "percpu_hash", "lru_hash"] as const)(
    "%s: a pointer stays readable for the rest of the run after a delete",
    (type) => {
      withObject(compileSubject(subjectOf(type)), (object) => {
        insert(object, 1, 10n);
        const seen = askStale(object, { operation: PROGRAM_OPERATION.read_deleted, key });
        if (seen !== undefined) expect(seen).toMatchObject({ result: 0n, value: 10n });
        expect(ask(object, { operation: PROGRAM_OPERATION.lookup, key }).result).toBe(
          BigInt(-ERRNO.ENOENT),
        );
      });
    },
  );

  test("lpm_trie: a lookup gives the stored prefix's value itself, not a copy", () => {
    const trie = subjectOf("lpm_trie", 1);
    withObject(compileSubject(trie), (object) => {
      const prefix = new Uint8Array([8, 0, 0, 0, 10, 0, 0, 0]);
      const address = new Uint8Array([32, 0, 0, 0, 10, 1, 2, 3]);
      expect(
        ask(object, { operation: PROGRAM_OPERATION.update, key: prefix, value: 5n }).result,
      ).toBe(0n);
      expect(
        ask(object, { operation: PROGRAM_OPERATION.add, key: address, value: 2n }).result,
      ).toBe(0n);
      expect(ask(object, { operation: PROGRAM_OPERATION.lookup, key: prefix }).value).toBe(7n);
    });
  });
}

function percpuScenarios(withObject: WithObject, backend: () => Backend): void {
  test.each(["percpu_hash", "lru_percpu_hash"] as const)(
    "%s: a key that a program adds is zero on all other CPUs",
    (type) => {
      withObject(compileSubject(subjectOf(type)), (object) => {
        const map = object.maps.get("subject")!;
        const { cpus } = backend();
        // Fills and empties every element, so that one with old values is used again.
        for (let key = 0; key < map.spec.maxEntries; key += 1) {
          map.update(u32Bytes(key), new Uint8Array(map.valueBytes).fill(0xff));
        }
        for (let key = 0; key < map.spec.maxEntries; key += 1) map.delete(u32Bytes(key));
        const last = cpus - 1;
        insert(object, 9, 77n, last);
        const value = new Uint8Array(map.valueBytes);
        expect(map.lookup(u32Bytes(9), value)).toBe(true);
        const slots = new BigUint64Array(value.buffer);
        expect([...slots]).toEqual(Array.from(slots, (_, cpu) => (cpu === last ? 77n : 0n)));
      });
    },
  );
}

function lockScenarios(withObject: WithObject): void {
  test.each(["HASH", "ARRAY"])("%s with a lock: user space neither writes nor sees it", (type) => {
    const flags = [`-DSUBJECT_TYPE=BPF_MAP_TYPE_${type}`];
    withObject(compileProgram("locks", flags), (object) => {
      const map = object.maps.get("subject")!;
      const key = u32Bytes(1);
      const written = Uint8Array.from({ length: 16 }, (_, index) => index + 1);
      const visible = written.map((byte, index) => (index >= 8 && index < 12 ? 0 : byte));
      for (const flags of [UPDATE.ANY, UPDATE.LOCK, UPDATE.EXIST | UPDATE.LOCK]) {
        map.update(key, written, flags);
        for (const lookupFlags of [0, UPDATE.LOCK]) {
          const value = new Uint8Array(16).fill(0xee);
          expect(map.lookup(key, value, lookupFlags)).toBe(true);
          expect(value).toEqual(visible);
        }
      }
    });
  });
}

function loopScenarios(withObject: WithObject): void {
  const never = 0xffffffffffffffffn;
  const cases: [string, ProgramArguments, bigint, bigint][] = [
    ["no iteration", { limit: 0, value: never }, 0n, 0n],
    ["ten iterations", { limit: 10, value: never }, 10n, 45n],
    ["stopped at index 3, which counts", { limit: 10, value: 3n }, 4n, 6n],
    ["more than 2^23 iterations", { limit: (1 << 23) + 1 }, BigInt(-ERRNO.E2BIG), 0n],
    ["unknown flags", { limit: 1, flags: 1 }, BigInt(-ERRNO.EINVAL), 0n],
  ];
  test.each(cases)("bpf_loop: %s", (_name, request, result, value) => {
    withObject(compileProgram("loops"), (object) => {
      expect(runProgram(object, "iterate", request, 0)).toMatchObject({ result, value });
    });
  });
}
