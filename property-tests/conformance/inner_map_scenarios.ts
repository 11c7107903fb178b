/** Maps of maps as programs see them. */

import { expect, test } from "vitest";
import { type Backend, type BpfMap, MAP_TYPE, type MapSpec } from "#core/backend.ts";
import { u32Bytes } from "#property-tests/models/bytes.ts";
import { runProgram } from "./program_abi.ts";
import type { WithObject } from "./program_scenarios.ts";
import { compileProgram } from "./program_subjects.ts";

const INNER: MapSpec = {
  name: "inner",
  type: MAP_TYPE.array,
  keySize: 4,
  valueSize: 8,
  maxEntries: 2,
  flags: 0,
};
const NO_INNER_MAP = 1n;
const NO_ELEMENT = 2n;

export function innerMapScenarios(withObject: WithObject, backend: () => Backend): void {
  test.each(["ARRAY_OF_MAPS", "HASH_OF_MAPS"])(
    "%s: a program works on the inner map that is stored at the moment",
    (type) => {
      const bytes = compileProgram("inner_maps", [`-DOUTER_TYPE=BPF_MAP_TYPE_${type}`]);
      withObject(bytes, (object) => {
        const outer = object.maps.get("subject")!;
        const inner = [INNER, INNER].map((spec) => backend().createMap(spec));
        const add = (outerKey: number, innerKey: number) => {
          const key = new Uint8Array([...u32Bytes(outerKey), ...u32Bytes(innerKey)]);
          return runProgram(object, "add", { key, value: 5n }, 0);
        };
        try {
          expect(add(1, 0).result).toBe(NO_INNER_MAP);
          outer.update(u32Bytes(1), u32Bytes(inner[0]!.handle));
          expect(add(1, 0)).toMatchObject({ result: 0n, value: 5n });
          expect(add(1, 0)).toMatchObject({ result: 0n, value: 10n });
          expect(add(1, 2).result).toBe(NO_ELEMENT);
          outer.update(u32Bytes(1), u32Bytes(inner[1]!.handle));
          expect(add(1, 0)).toMatchObject({ result: 0n, value: 5n });
          expect(counterOf(inner[0]!)).toBe(10n);
          expect(outer.delete(u32Bytes(1))).toBe(true);
          expect(add(1, 0).result).toBe(NO_INNER_MAP);
        } finally {
          for (const map of inner) map.close();
        }
      });
    },
  );
}

function counterOf(map: BpfMap): bigint {
  const value = new Uint8Array(8);
  expect(map.lookup(u32Bytes(0), value)).toBe(true);
  return new DataView(value.buffer).getBigUint64(0, true);
}
