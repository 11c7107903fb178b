/** Ring buffers of the running kernel, read in place. */
import { expect, it } from "vitest";
import type { BpfObject, RingReader } from "#core/backend.ts";
import { ERRNO } from "#core/errors.ts";
import { compileBpf } from "../support/clang.ts";
import { thrown } from "../support/thrown.ts";
import { describeNative, withBackend } from "./native.ts";

const RB_NO_WAKEUP = 1;
const RB_FORCE_WAKEUP = 2;
const RECORD_BYTES = 120;
const RECORD_ROOM = 128;
const RING_BYTES = 65536;

interface Fixture {
  readonly object: BpfObject;
  readonly ring: RingReader;
  /** Has the program write records; at most 64 a run. */
  produce(count: number, flags?: number, discardOdd?: boolean): void;
  counter(index: 0 | 1): number;
}

function withRing(body: (fixture: Fixture) => void | Promise<void>): Promise<void> {
  return withBackend(async (backend) => {
    const object = backend.open(compileBpf("test/kernel/ring.bpf.c"));
    object.load();
    const program = object.programs.get("produce")!;
    const counters = new BigUint64Array(object.maps.get("counters")!.memory().buffer);
    await body({
      object,
      ring: object.maps.get("ring")!.ring(),
      produce(count, flags = 0, discardOdd = false) {
        for (let left = count; left > 0; left -= 64) {
          const numbers = [Math.min(left, 64), flags, discardOdd ? 1 : 0];
          program.run(new Uint8Array(new BigUint64Array(numbers.map(BigInt)).buffer));
        }
      },
      counter: (index) => Number(counters[index]),
    });
  });
}

function numbersOf(ring: RingReader, maxRecords?: number): number[] {
  const numbers: number[] = [];
  ring.consume(({ view, offsets, lengths, buffer, count }) => {
    for (let i = 0; i < count; i++) {
      const number = Number(view.getBigUint64(offsets[i]!, true));
      expect(lengths[i]).toBe(RECORD_BYTES);
      expect(buffer[offsets[i]! + RECORD_BYTES - 1]).toBe(number & 0xff);
      numbers.push(number);
    }
  }, maxRecords);
  return numbers;
}

const range = (first: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => first + i);

describeNative("a ring", () => {
  it("without records hands over nothing and calls no handler", () =>
    withRing(({ ring }) => {
      expect(ring.consume(() => expect.unreachable())).toBe(0);
      expect(ring.availableBytes()).toBe(0);
      expect(ring.sizeBytes).toBe(RING_BYTES);
    }));

  it("hands records over in order, across its end, for several times its size", () =>
    withRing(({ ring, produce }) => {
      let next = 1;
      for (let round = 0; round < 40; round++) {
        const count = 1 + ((round * 37) % 400);
        produce(count);
        expect(numbersOf(ring)).toEqual(range(next, count));
        next += count;
      }
      expect(next * RECORD_ROOM).toBeGreaterThan(8 * RING_BYTES);
    }));

  it("that is full loses the newest records and counts every one", () =>
    withRing(({ ring, produce, counter }) => {
      const room = RING_BYTES / RECORD_ROOM;
      produce(room + 100);
      const kept = numbersOf(ring);
      expect(kept).toEqual(range(1, kept.length));
      expect(kept.length).toBe(counter(0));
      expect(counter(0) + counter(1)).toBe(room + 100);
      expect(counter(1)).toBeGreaterThanOrEqual(100);
    }));

  it("passes over discarded records and frees their space", () =>
    withRing(({ ring, produce }) => {
      produce(10, 0, true);
      expect(numbersOf(ring)).toEqual([2, 4, 6, 8, 10]);
      expect(ring.availableBytes()).toBe(0);
    }));

  it("keeps what maxRecords leaves, and a batch whose handler throws", () =>
    withRing(({ ring, produce }) => {
      produce(10);
      expect(numbersOf(ring, 4)).toEqual([1, 2, 3, 4]);
      expect(() =>
        ring.consume(() => {
          throw new Error("handler");
        }),
      ).toThrow("handler");
      expect(numbersOf(ring)).toEqual(range(5, 6));
    }));

  it("refuses to be consumed from its own handler", () =>
    withRing(({ ring, produce }) => {
      produce(1);
      let errno = 0;
      ring.consume(() => {
        errno = thrown(() => ring.consume(() => {})).errno;
      });
      expect(errno).toBe(ERRNO.EBUSY);
    }));

  it("that is closed by its handler gives its memory back after the handler", () =>
    withRing(({ ring, produce }) => {
      produce(3);
      let first = 0;
      ring.consume(({ view, offsets }) => {
        ring.close();
        first = Number(view.getBigUint64(offsets[0]!, true));
      });
      expect(first).toBe(1);
      expect(thrown(() => ring.availableBytes()).errno).toBe(ERRNO.EBADF);
    }));

  it("leaves views that were kept empty after close", () =>
    withRing(({ ring, produce }) => {
      produce(1);
      let kept: Uint8Array | undefined;
      ring.consume(({ buffer }) => {
        kept = buffer;
      });
      expect(kept!.length).toBe(2 * RING_BYTES);
      ring.close();
      expect(kept!.length).toBe(0);
    }));
});

describeNative("waiting for a ring", () => {
  it("ends false at the deadline where nothing comes", () =>
    withRing(async ({ ring }) => {
      expect(await ring.wait(20)).toBe(false);
    }));

  it("ends true when a record is committed, again and again", () =>
    withRing(async ({ ring, produce }) => {
      for (let round = 1; round <= 200; round++) {
        const waiting = ring.wait(10_000);
        setImmediate(() => produce(1));
        expect(await waiting).toBe(true);
        expect(numbersOf(ring)).toEqual([round]);
      }
    }));

  it("is true at once while signalled data is unread", () =>
    withRing(async ({ ring, produce }) => {
      produce(2);
      expect(await ring.wait(10_000)).toBe(true);
      numbersOf(ring, 1);
      expect(await ring.wait(10_000)).toBe(true);
      numbersOf(ring);
      expect(await ring.wait(10)).toBe(false);
    }));

  it("does not end with data that was committed without a wake-up", () =>
    withRing(async ({ ring, produce }) => {
      expect(await ring.wait(1)).toBe(false);
      produce(1, RB_NO_WAKEUP);
      expect(await ring.wait(30)).toBe(false);
      produce(1, RB_FORCE_WAKEUP);
      expect(await ring.wait(10_000)).toBe(true);
      expect(numbersOf(ring)).toEqual([1, 2]);
    }));

  it("ends false when the ring is closed", () =>
    withRing(async ({ ring }) => {
      const waiting = ring.wait(10_000);
      setImmediate(() => ring.close());
      expect(await waiting).toBe(false);
    }));
});
