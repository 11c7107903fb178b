import { constants, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isSkippableFrame, ZstdFrameFollower } from "#cli/zstd_frames.ts";

/** Frames with and without checksum, content size, single segment; raw, RLE, compressed blocks. */
const frame = fc
  .record({
    data: fc.oneof(
      fc.uint8Array({ maxLength: 2000 }),
      fc.nat(300_000).map((length) => new Uint8Array(length).fill(7)),
      fc.nat(200_000).map((length) => new Uint8Array(length).map((_, i) => (i * i) >> 7)),
    ),
    checksum: fc.boolean(),
    contentSize: fc.boolean(),
    windowLog: fc.integer({ min: 10, max: 20 }),
  })
  .map(({ data, checksum, contentSize, windowLog }) =>
    zstdCompressSync(data, {
      params: {
        [constants.ZSTD_c_checksumFlag]: checksum ? 1 : 0,
        [constants.ZSTD_c_contentSizeFlag]: contentSize ? 1 : 0,
        [constants.ZSTD_c_windowLog]: windowLog,
      },
      ...(contentSize ? { pledgedSrcSize: data.length } : {}),
    }),
  );

const skippable = fc.uint8Array({ maxLength: 300 }).map((data) => {
  const length = new Uint8Array(Uint32Array.of(data.length).buffer);
  return Buffer.concat([Uint8Array.of(0x5a, 0x2a, 0x4d, 0x18), length, data]);
});

describe("a frame follower", () => {
  it("comes to the end of each frame, however the bytes are cut", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(frame, skippable), { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 5000 }),
        (frames, chunkBytes) => {
          const bytes = Buffer.concat(frames);
          const follower = new ZstdFrameFollower();
          const ends: number[] = [];
          for (let start = 0; start < bytes.length; ) {
            const chunk = bytes.subarray(0, Math.min(bytes.length, start + chunkBytes));
            const end = follower.follow(chunk, start);
            expect(end).toBeGreaterThan(start);
            if (follower.atFrameEnd) ends.push(end);
            start = end;
          }
          let sum = 0;
          expect(ends).toEqual(frames.map(({ length }) => (sum += length)));
        },
      ),
    );
  });

  it("refuses what does not start with a frame", () => {
    const text = new TextEncoder().encode("Y\t1\t2");
    expect(new ZstdFrameFollower().follow(text, 0)).toBe(-1);
    expect(isSkippableFrame(text)).toBe(false);
  });

  it("refuses a block of the reserved type", () => {
    const bytes = zstdCompressSync(new Uint8Array(10));
    const blockHeader = 4 + 1 + 1; // magic, descriptor, window or content size
    bytes[blockHeader]! |= 6;
    expect(new ZstdFrameFollower().follow(bytes, 0)).toBe(-1);
  });
});
