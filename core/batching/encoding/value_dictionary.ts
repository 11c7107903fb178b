/** The distinct values of a column, where they are few. */
import { createValues, DICTIONARY_ENTRIES_MAX, type Values } from "./transforms.ts";

const SLOTS = 1024;

export class ValueDictionary {
  readonly entries: Values = createValues(DICTIONARY_ENTRIES_MAX);
  count = 0;
  readonly #slots = new Int16Array(SLOTS);

  /** Sets `out.low[i]` to the index of each value; false where there are more than 256 of them. */
  build({ low, high }: Values, count: number, out: Values): boolean {
    this.#slots.fill(-1);
    this.count = 0;
    out.lowBits = 0;
    out.highBits = 0;
    for (let i = 0; i < count; i++) {
      const entry = this.#index(low[i]!, high[i]!);
      if (entry < 0) return false;
      out.low[i] = entry;
      out.lowBits |= entry;
    }
    return true;
  }

  #index(low: number, high: number): number {
    const { entries } = this;
    const mixed = Math.imul(low ^ Math.imul(high, 0x85ebca6b), 0x9e3779b1);
    let slot = mixed >>> 22;
    for (;;) {
      const entry = this.#slots[slot]!;
      if (entry < 0) break;
      if (entries.low[entry] === low && entries.high[entry] === high) return entry;
      slot = (slot + 1) & (SLOTS - 1);
    }
    if (this.count === DICTIONARY_ENTRIES_MAX) return -1;
    this.#slots[slot] = this.count;
    entries.low[this.count] = low;
    entries.high[this.count] = high;
    return this.count++;
  }
}
