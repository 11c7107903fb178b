/** Slots between a filling and an emptying side; this thread plays both, so neither may have to sleep. */
import { describe, expect, it } from "vitest";
import { BlockSlots, createSlotMemory, SLOT } from "#cli/trace/block_slots.ts";
import { LIMITS } from "#core/trace/format.ts";
import type { StoredBlock } from "#core/trace/stored_block.ts";

const SLOTS = 16;

function openSlots(): { filling: BlockSlots; emptying: BlockSlots } {
  const memory = createSlotMemory();
  return { filling: new BlockSlots(memory), emptying: new BlockSlots(memory) };
}

/** A block whose every member tells which it is. */
function block(number: number): StoredBlock {
  const raw = new Uint8Array(number % 50).fill(number);
  return { type: number % 256, records: number, offset: 100 * number, raw };
}

/** What is next, in memory of its own; gives the slot back. */
function take(slots: BlockSlots): StoredBlock & { readonly state: number } {
  expect(slots.filled).toBe(true);
  const next = slots.peek();
  const taken = { ...next, raw: next.raw.slice() };
  slots.free();
  return taken;
}

/** Lets what can go on do so, the resolving of `wait` included. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Whether `waiting` has resolved, asked at any time. */
function watch(waiting: Promise<void>): () => boolean {
  let resolved = false;
  waiting.then(() => {
    resolved = true;
  });
  return () => resolved;
}

describe("slots", () => {
  it("give blocks in the order in which they were filled, over several laps", () => {
    const { filling, emptying } = openSlots();
    let [filled, taken] = [0, 0];
    // Up to all slots are filled at once; the steps make every slot the first and the last one.
    for (const step of [1, SLOTS, 3, 7, SLOTS, 5, 11, SLOTS, 2]) {
      for (let i = 0; i < step; i++) filling.fill(SLOT.block, block(filled++));
      while (taken < filled) {
        expect(take(emptying)).toEqual({ state: SLOT.block, ...block(taken++) });
      }
      expect(emptying.filled).toBe(false);
    }
    expect(taken).toBeGreaterThan(4 * SLOTS);
  });

  it("keep a block until it is given back, while all others are filled", () => {
    const { filling, emptying } = openSlots();
    filling.fill(SLOT.block, block(1));
    const first = emptying.peek();
    for (let number = 2; number <= SLOTS; number++) filling.fill(SLOT.block, block(number));
    expect(first).toEqual({ state: SLOT.block, ...block(1) });
    expect(emptying.peek()).toEqual(first);
    expect(filling.filled).toBe(true);
    emptying.free();
    expect(filling.filled).toBe(false);
    expect(emptying.peek()).toMatchObject(block(2));
  });

  it.each([
    ["an offset beyond 32 bits", { type: 2, records: 4096, offset: 2 ** 40 + 3 }],
    ["the largest offset", { type: 255, records: 0, offset: Number.MAX_SAFE_INTEGER }],
    ["zeros", { type: 0, records: 0, offset: 0 }],
  ])("keep %s", (_, members) => {
    const { filling, emptying } = openSlots();
    filling.fill(SLOT.failure, { ...members, raw: new Uint8Array(0) });
    expect(take(emptying)).toEqual({ state: SLOT.failure, ...members, raw: new Uint8Array(0) });
  });

  it("keep payloads of every length in all slots at once, the longest beside each other", () => {
    const { filling, emptying } = openSlots();
    const lengthOf = (slot: number) => [LIMITS.blockBytes, 0, LIMITS.blockBytes, 1][slot % 4]!;
    const rawOf = (slot: number) => new Uint8Array(lengthOf(slot)).fill(slot + 1);
    for (let slot = 0; slot < SLOTS; slot++) {
      filling.fill(SLOT.block, { ...block(slot), raw: rawOf(slot) });
    }
    for (let slot = 0; slot < SLOTS; slot++) {
      const { raw, ...members } = take(emptying);
      expect(members).toMatchObject({ type: slot, records: slot, offset: 100 * slot });
      expect(Buffer.compare(raw, rawOf(slot))).toBe(0);
    }
  });
});

describe("waiting", () => {
  it("ends when the slot is filled, and not before", async () => {
    const { filling, emptying } = openSlots();
    filling.fill(SLOT.block, block(0));
    take(emptying);
    const ended = watch(emptying.wait());
    await turn();
    expect(ended()).toBe(false);
    filling.fill(SLOT.block, block(1));
    await expect.poll(ended).toBe(true);
    expect(take(emptying)).toMatchObject(block(1));
  });

  it("ends at once where the slot is filled", async () => {
    const { filling, emptying } = openSlots();
    filling.fill(SLOT.block, block(0));
    await emptying.wait();
    expect(emptying.filled).toBe(true);
  });

  it("ends when nobody fills any more", async () => {
    const { emptying } = openSlots();
    const ended = watch(emptying.wait());
    await turn();
    expect(ended()).toBe(false);
    emptying.abandon();
    await expect.poll(ended).toBe(true);
    expect(emptying.peek().state).toBe(SLOT.gone);
  });
});

describe("slots that are to be filled no more", () => {
  it.each([0, 3, SLOTS])("stay as they are, with %i filled, until another file", async (count) => {
    const { filling, emptying } = openSlots();
    emptying.reading.begin({ file: 0, offset: 0, sequence: 0 });
    filling.reading.order();
    for (let i = 0; i < count; i++) expect(filling.fill(SLOT.block, block(i))).toBe(true);
    const stopped = emptying.stop();
    expect(filling.fill(SLOT.block, block(99))).toBe(false);
    filling.reading.done();
    await stopped;
    for (let i = 0; i < count; i++) expect(take(emptying)).toMatchObject(block(i));
    if (count < SLOTS) expect(emptying.filled).toBe(false);

    emptying.clear();
    emptying.reading.begin({ file: 0, offset: 0, sequence: 0 });
    filling.reading.order();
    filling.restart();
    for (let i = 0; i < SLOTS; i++) expect(filling.fill(SLOT.block, block(200 + i))).toBe(true);
    for (let i = 0; i < SLOTS; i++) expect(take(emptying)).toMatchObject(block(200 + i));
  });
});

describe("slots that nobody fills any more", () => {
  it.each([0, 1, 5, SLOTS])("give the %i that were filled, then `gone` for good", (count) => {
    const { filling, emptying } = openSlots();
    for (let i = 0; i < count; i++) filling.fill(SLOT.block, block(i));
    emptying.abandon();
    for (let i = 0; i < count; i++) expect(take(emptying)).toMatchObject(block(i));
    for (let i = 0; i < 2 * SLOTS; i++) expect(take(emptying).state).toBe(SLOT.gone);
  });

  it("say so after a block that was being read", () => {
    const { filling, emptying } = openSlots();
    filling.fill(SLOT.block, block(0));
    const lent = emptying.peek();
    emptying.abandon();
    expect(lent).toMatchObject(block(0));
    emptying.free();
    expect(take(emptying).state).toBe(SLOT.gone);
  });
});
