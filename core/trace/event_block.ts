/**
 * Decoded events: columns as typed arrays over the payload, checked in one pass, so that nobody
 * downstream has to.
 */

import { contextsOffset, EVENT_BASE_BYTES, EVENT_COLUMN_BYTES, LIMITS } from "./format.ts";

/**
 * Up to 4,096 events in time order. Entry i of every column, for i < `count`, belongs to event i.
 * There is one such object a reader: its contents are valid until the next block is asked for.
 */
export interface EventBlock {
  readonly kind: "events";
  readonly count: number;
  /** Time of the first event, on the schema's clock. */
  readonly base_ns: bigint;
  /** The same in halves, for arithmetic without BigInt. */
  readonly baseHigh: number;
  readonly baseLow: number;
  /** Nanoseconds since `base_ns`; never descending. */
  readonly timeDeltas_ns: Uint32Array;
  /** Below the schema's `cpus`. */
  readonly cpus: Uint16Array;
  /** Task slots; each was defined by a task block before. */
  readonly slots: Uint16Array;
  /** Hook ids of the schema. */
  readonly hooks: Uint8Array;
  /** Where event i's context starts in `contexts`; its length is the hook's `size`. */
  readonly contextOffsets: Uint32Array;
  readonly contexts: Uint8Array;
}

/** How many of the block's events, from its first, lie before `end_ns`. */
export function countBefore(block: EventBlock, end_ns: bigint): number {
  const { count, timeDeltas_ns } = block;
  const limit_ns = Number(end_ns - block.base_ns);
  let [from, to] = [0, count];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (timeDeltas_ns[middle]! < limit_ns) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** Decodes event blocks of one trace into one reused `EventBlock`. */
export class EventDecoder {
  readonly #sizes: Uint32Array;
  readonly #cpus: number;
  readonly #definedSlots: Uint8Array;
  readonly #block: {
    -readonly [member in keyof EventBlock]: EventBlock[member];
  };
  #lastHigh = 0;
  #lastLow = 0;
  readonly recordsByHookId = new Float64Array(LIMITS.hooks);

  /** `definedSlots[slot]` is 1 where a task block defined the slot; the reader keeps it up to date. */
  constructor(sizes: Uint32Array, cpus: number, definedSlots: Uint8Array) {
    this.#sizes = sizes;
    this.#cpus = cpus;
    this.#definedSlots = definedSlots;
    this.#block = {
      kind: "events",
      count: 0,
      base_ns: 0n,
      baseHigh: 0,
      baseLow: 0,
      timeDeltas_ns: new Uint32Array(0),
      cpus: new Uint16Array(0),
      slots: new Uint16Array(0),
      hooks: new Uint8Array(0),
      contextOffsets: new Uint32Array(LIMITS.blockRecords),
      contexts: new Uint8Array(0),
    };
  }

  /** Time of the last event decoded. */
  get last_ns(): bigint {
    return (BigInt(this.#lastHigh) << 32n) | BigInt(this.#lastLow);
  }

  /** Decodes a payload, in place where its columns are aligned. Returns what is wrong with it, or null. */
  decode(count: number, payload: Uint8Array): string | null {
    const raw = payload.byteOffset % 4 === 0 ? payload : Uint8Array.from(payload);
    if (count === 0) return "an event block is empty";
    if (raw.length < contextsOffset(count)) return "an event block is shorter than its columns";
    this.#readColumns(count, raw);
    return (
      this.#checkTimes(count) ??
      this.#checkPadding(count, raw) ??
      this.#checkRecords(count, raw.length)
    );
  }

  /** The block decoded last. */
  get block(): EventBlock {
    return this.#block;
  }

  #readColumns(count: number, raw: Uint8Array): void {
    const block = this.#block;
    const base = new DataView(raw.buffer, raw.byteOffset, EVENT_BASE_BYTES);
    block.count = count;
    block.baseLow = base.getUint32(0, true);
    block.baseHigh = base.getUint32(4, true);
    block.base_ns = base.getBigUint64(0, true);
    block.contexts = raw;
    // Widest first, so that each column is aligned where the one before ends.
    let at = raw.byteOffset + EVENT_BASE_BYTES;
    block.timeDeltas_ns = new Uint32Array(raw.buffer, at, count);
    at += 4 * count;
    block.cpus = new Uint16Array(raw.buffer, at, count);
    at += 2 * count;
    block.slots = new Uint16Array(raw.buffer, at, count);
    at += 2 * count;
    block.hooks = new Uint8Array(raw.buffer, at, count);
  }

  #checkTimes(count: number): string | null {
    const { baseHigh, baseLow, timeDeltas_ns } = this.#block;
    if (timeDeltas_ns[0] !== 0) return "an event block does not start at its base time";
    if (baseHigh < this.#lastHigh || (baseHigh === this.#lastHigh && baseLow < this.#lastLow)) {
      return "an event is older than the one before it";
    }
    let last = 0;
    for (let i = 1; i < count; i++) {
      const delta = timeDeltas_ns[i]!;
      if (delta < last) return "an event is older than the one before it";
      last = delta;
    }
    const low = baseLow + last;
    this.#lastHigh = baseHigh + (low > 0xffffffff ? 1 : 0);
    this.#lastLow = low >>> 0;
    return this.#lastHigh > 0xffffffff ? "an event time exceeds 64 bits" : null;
  }

  #checkPadding(count: number, raw: Uint8Array): string | null {
    const columnsEnd = EVENT_BASE_BYTES + EVENT_COLUMN_BYTES * count;
    for (let at = columnsEnd; at < contextsOffset(count); at++) {
      if (raw[at] !== 0) return "an event block has padding that is not zero";
    }
    return null;
  }

  #checkRecords(count: number, rawLength: number): string | null {
    const { cpus, slots, hooks, contextOffsets } = this.#block;
    const sizes = this.#sizes;
    let at = contextsOffset(count);
    for (let i = 0; i < count; i++) {
      const size = sizes[hooks[i]!]!;
      if (size === 0) return `an event names hook ${hooks[i]}, which the schema lacks`;
      if (cpus[i]! >= this.#cpus) return `an event names CPU ${cpus[i]} of ${this.#cpus}`;
      if (this.#definedSlots[slots[i]!] === 0)
        return `an event names the free task slot ${slots[i]}`;
      contextOffsets[i] = at;
      at += size;
      this.recordsByHookId[hooks[i]!]!++;
    }
    return at === rawLength ? null : "an event block's contexts are not as long as its hooks say";
  }
}
