/** Damage to a trace that is read through a thread: the error that the reading thread itself would have met. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compressBlock, decompressBlock } from "#cli/zstd.ts";
import { TraceError } from "#core/trace/error.ts";
import { BLOCK_HEADER } from "#core/trace/format.ts";
import {
  type ReadResult,
  readPlain,
  SMALL_TRACE,
  writePlain,
} from "#property-tests/arbitraries/traces.ts";
import { expectSame, LONG_TRACE, readThreaded, startOf } from "../../support/threaded_traces.ts";

let directory: string;
let path: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "threaded-damage-"));
  path = join(directory, "a.trace");
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});

/** Where each block starts, and where the last one ends. */
async function boundaries(bytes: Uint8Array): Promise<number[]> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const found = [(await startOf(bytes)).start];
  while (found.at(-1)! < bytes.length) {
    const at = found.at(-1)!;
    found.push(at + BLOCK_HEADER.size + view.getUint32(at + BLOCK_HEADER.storedLength, true));
  }
  return found;
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const damaged = bytes.slice();
  damaged[at]! ^= 0x40;
  return damaged;
}

async function expectSameDamage(bytes: Uint8Array, reason: string): Promise<ReadResult> {
  const expected = await readPlain([bytes], decompressBlock);
  expect(expected.error).toMatchObject({ reason });
  const found = await readThreaded(path, bytes);
  expect(found.error).toBeInstanceOf(TraceError);
  expectSame(found, expected);
  return found;
}

describe("damage is the same error after the same blocks", () => {
  const { bytes } = writePlain(SMALL_TRACE, compressBlock);

  it("where a byte of a block is another one", async () => {
    const starts = await boundaries(bytes);
    expect(starts).toHaveLength(6);
    for (let index = 0; index + 1 < starts.length; index++) {
      const start = starts[index]!;
      const payload = start + BLOCK_HEADER.size;
      await expectSameDamage(flipped(bytes, start + BLOCK_HEADER.crc), "corrupt");
      await expectSameDamage(flipped(bytes, (payload + starts[index + 1]!) >> 1), "corrupt");
      // The highest byte of a length: more than a block may have.
      await expectSameDamage(flipped(bytes, start + BLOCK_HEADER.rawLength + 3), "limit");
    }
  });

  it("where the file ends before, in the header and in the payload of a block", async () => {
    const starts = await boundaries(bytes);
    for (let index = 0; index + 1 < starts.length; index++) {
      const start = starts[index]!;
      const middle = (start + BLOCK_HEADER.size + starts[index + 1]!) >> 1;
      for (const length of [start, start + 5, start + BLOCK_HEADER.size, middle]) {
        const { error } = await expectSameDamage(bytes.slice(0, length), "truncated");
        expect(error).toMatchObject({ offset: length });
      }
    }
  });

  it("where bytes follow the trailer", async () => {
    await expectSameDamage(new Uint8Array([...bytes, 0]), "corrupt");
  });
});

it("damage beyond the slots is found after all blocks before it", async () => {
  const { bytes } = writePlain(LONG_TRACE);
  const starts = await boundaries(bytes);
  for (const index of [16, 17, 50]) {
    const { items } = await expectSameDamage(flipped(bytes, starts[index]! + 30), "corrupt");
    expect(items).toEqual(LONG_TRACE.items.slice(0, 5 * (index - 1)));
    await expectSameDamage(bytes.slice(0, starts[index]! + 30), "truncated");
  }
});
