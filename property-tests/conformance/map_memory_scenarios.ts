/** Values of arrays as memory that user space shares with running programs. */

import { describe, expect, test } from "vitest";
import { type BpfMap, MAP_FLAG, MAP_TYPE } from "#core/backend.ts";
import { BpfError } from "#core/errors.ts";
import { u32Bytes } from "#property-tests/models/bytes.ts";
import type { MapBackend } from "#property-tests/models/model_backend.ts";

const VALUE_BYTES = 3;
const STRIDE_BYTES = 8;
const ENTRIES = 4;

export function memoryScenarios(backend: () => MapBackend): void {
  const withArray = (flags: number, body: (map: BpfMap) => void) => {
    const map = backend().createMap({
      name: "shared",
      type: MAP_TYPE.array,
      keySize: 4,
      valueSize: VALUE_BYTES,
      maxEntries: ENTRIES,
      flags,
    });
    try {
      body(map);
    } finally {
      map.close();
    }
  };

  describe("memory of an array", () => {
    test("shows every update, and a write to it shows in a lookup", () => {
      withArray(MAP_FLAG.MMAPABLE, (map) => {
        const memory = map.memory();
        expect(memory.length).toBeGreaterThanOrEqual(STRIDE_BYTES * ENTRIES);
        for (let index = 0; index < ENTRIES; index += 1) {
          map.update(u32Bytes(index), new Uint8Array(VALUE_BYTES).fill(index + 1));
          const at = index * STRIDE_BYTES;
          const shown = memory.subarray(at, at + VALUE_BYTES);
          expect([...shown]).toEqual(new Array(VALUE_BYTES).fill(index + 1));
          memory[at] = 0xa0 + index;
          const value = new Uint8Array(VALUE_BYTES);
          expect(map.lookup(u32Bytes(index), value)).toBe(true);
          expect([...value]).toEqual([0xa0 + index, index + 1, index + 1]);
        }
      });
    });

    test("is refused without MMAPABLE, and after close", () => {
      withArray(0, (map) => expect(() => map.memory()).toThrow(BpfError));
      withArray(MAP_FLAG.MMAPABLE, (map) => {
        map.close();
        expect(() => map.memory()).toThrow(expect.objectContaining({ code: "EBADF" }));
      });
    });
  });
}
