/** For every record, the one before it with an equal key. */
import type { Column } from "./columns.ts";

/** Finds predecessors by an open hash table of record numbers; its memory grows with the largest batch. */
export class Predecessors {
  #table = new Int32Array(256);

  /**
   * Sets `out[i]` to the latest record before `i` whose bytes in `key` equal those of record `i`, to
   * `i - 1` where there is none. `starts` says where records begin in `bytes`.
   */
  find(
    bytes: Uint8Array,
    starts: Uint32Array,
    count: number,
    key: readonly Column[],
    out: Int32Array,
  ): void {
    while (this.#table.length < 2 * count) this.#table = new Int32Array(2 * this.#table.length);
    const table = this.#table;
    const mask = table.length - 1;
    table.fill(-1);
    for (let i = 0; i < count; i++) {
      let slot = hash(bytes, starts[i]!, key) & mask;
      let found = table[slot]!;
      while (found >= 0 && !equal(bytes, starts[i]!, starts[found]!, key)) {
        slot = (slot + 1) & mask;
        found = table[slot]!;
      }
      out[i] = found >= 0 ? found : i - 1;
      table[slot] = i;
    }
  }
}

function hash(bytes: Uint8Array, start: number, key: readonly Column[]): number {
  let value = 0x811c9dc5;
  for (const { offset, width } of key) {
    const end = start + offset + width;
    for (let at = start + offset; at < end; at++) value = Math.imul(value ^ bytes[at]!, 0x01000193);
  }
  return value ^ (value >>> 15);
}

function equal(bytes: Uint8Array, left: number, right: number, key: readonly Column[]): boolean {
  for (const { offset, width } of key) {
    for (let i = offset; i < offset + width; i++) {
      if (bytes[left + i] !== bytes[right + i]) return false;
    }
  }
  return true;
}
