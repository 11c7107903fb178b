/** For every record, the one before it with an equal key. */
import type { Column } from "./columns.ts";
import { createValues, gather, type Values } from "./transforms.ts";

/** Finds predecessors by an open hash table of record numbers; its memory grows with the largest batch. */
export class Predecessors {
  #table = new Int32Array(256);
  #hashes = new Int32Array(0);
  /** Of each column of a key. */
  #values: Values[] = [];

  /**
   * Sets `out[i]` to the latest record before `i` whose bytes in `key` equal those of record `i`, to
   * `i - 1` where there is none. `starts` says where records begin in `view`.
   */
  find(
    view: DataView,
    starts: Uint32Array,
    count: number,
    key: readonly Column[],
    out: Int32Array,
  ): void {
    this.#reserve(count, key.length);
    const hashes = this.#hashes;
    hashes.fill(0, 0, count);
    key.forEach((column, index) => {
      const values = this.#values[index]!;
      gather(view, starts, count, column, values);
      mix(values, count, hashes);
    });
    const table = this.#table;
    const mask = table.length - 1;
    table.fill(-1);
    for (let i = 0; i < count; i++) {
      const hash = hashes[i]!;
      let slot = (hash ^ (hash >>> 15)) & mask;
      let found = table[slot]!;
      while (found >= 0 && !(hashes[found] === hash && this.#equal(i, found, key.length))) {
        slot = (slot + 1) & mask;
        found = table[slot]!;
      }
      out[i] = found >= 0 ? found : i - 1;
      table[slot] = i;
    }
  }

  #reserve(count: number, columns: number): void {
    while (this.#table.length < 2 * count) this.#table = new Int32Array(2 * this.#table.length);
    if (this.#hashes.length < count) {
      this.#hashes = new Int32Array(this.#table.length);
      this.#values = [];
    }
    while (this.#values.length < columns) this.#values.push(createValues(this.#hashes.length));
  }

  #equal(left: number, right: number, columns: number): boolean {
    for (let column = 0; column < columns; column++) {
      const { low, high } = this.#values[column]!;
      if (low[left] !== low[right] || high[left] !== high[right]) return false;
    }
    return true;
  }
}

function mix({ low, high }: Values, count: number, hashes: Int32Array): void {
  for (let i = 0; i < count; i++) {
    const half = Math.imul(hashes[i]! ^ low[i]!, 0x9e3779b1);
    hashes[i] = Math.imul(half ^ (half >>> 13) ^ high[i]!, 0x85ebca6b);
  }
}
