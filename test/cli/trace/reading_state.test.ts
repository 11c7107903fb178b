/** What one thread is told by the other; this thread plays both, so `order` may not have to sleep. */
import { describe, expect, it } from "vitest";
import { READING_STATE_BYTES, ReadingState } from "#cli/trace/reading_state.ts";

const START = 16;

function openStates(): { telling: ReadingState; reading: ReadingState } {
  const memory = new SharedArrayBuffer(START + READING_STATE_BYTES);
  return { telling: new ReadingState(memory, START), reading: new ReadingState(memory, START) };
}

/** Whether `waiting` has resolved, asked at any time. */
function watch(waiting: Promise<void>): () => boolean {
  let resolved = false;
  waiting.then(() => {
    resolved = true;
  });
  return () => resolved;
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
const ORDER = { file: 7, offset: 2 ** 40 + 3, sequence: 11 };

describe("an order", () => {
  it("comes as it was given, to a thread that was not up yet", () => {
    const { telling, reading } = openStates();
    expect(telling.ready).toBe(false);
    telling.begin(ORDER);
    expect(reading.order()).toEqual(ORDER);
    expect(telling.ready).toBe(false);
  });

  it("comes after the one before, as often as there is one", () => {
    const { telling, reading } = openStates();
    for (let round = 0; round < 3; round++) {
      const order = { ...ORDER, file: round, sequence: 100 * round };
      telling.begin(order);
      expect(reading.order()).toEqual(order);
      reading.done();
      expect(telling.ready).toBe(true);
    }
  });
});

describe("stopping", () => {
  it("is seen by the thread, and over when it has done", async () => {
    const { telling, reading } = openStates();
    telling.begin(ORDER);
    reading.order();
    expect(reading.stopping).toBe(false);
    telling.stop();
    expect(reading.stopping).toBe(true);
    const stopped = watch(telling.stopped());
    await turn();
    expect(stopped()).toBe(false);
    reading.done();
    await expect.poll(stopped).toBe(true);
    expect(reading.stopping).toBe(false);
    expect(telling.ready).toBe(true);
  });

  it("is nothing where nothing is read", async () => {
    const { telling, reading } = openStates();
    telling.stop();
    await telling.stopped();
    telling.begin(ORDER);
    expect(reading.order()).toEqual(ORDER);
    reading.done();
    telling.stop();
    await telling.stopped();
    expect(telling.ready).toBe(true);
  });

  it("waits for a thread that was not up when it was ordered", async () => {
    const { telling, reading } = openStates();
    telling.begin(ORDER);
    telling.stop();
    const stopped = watch(telling.stopped());
    await turn();
    expect(stopped()).toBe(false);
    // It has done, and finds another order.
    setImmediate(() => telling.begin({ ...ORDER, file: 8 }));
    reading.done();
    await turn();
    expect(stopped()).toBe(true);
    expect(reading.order().file).toBe(8);
  });

  it("is over where the thread is gone", async () => {
    const { telling, reading } = openStates();
    telling.begin(ORDER);
    reading.order();
    telling.stop();
    const stopped = watch(telling.stopped());
    await turn();
    telling.abandon();
    await expect.poll(stopped).toBe(true);
    expect(telling.gone).toBe(true);
    expect(telling.ready).toBe(false);
  });
});
