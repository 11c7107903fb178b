/**
 * One of the kernel's hash tables: every key has two buckets, and lies in a slot of one of them. To
 * make room a rule moves to its other bucket (cuckoo hashing). Programs must not look meanwhile.
 */
import type { TableLayout } from "./filter_layout.ts";
import { firstBucket, kindSeed, mix, mixEnd, secondBucket } from "./hash.ts";

/** Moves to make room for one rule before another seed is tried. */
const MOVES_MAX = 500;
const KIND_SHIFT = 24;
const KIND_MASK = 0x3f;
const KEY_WORDS_MAX = 5;

/** What lies in a slot. */
export interface Entry {
  readonly key: ArrayLike<number>;
  /** Rule, kind and flags; never 0. */
  readonly value: number;
}

/** Buckets of one region in one generation. */
export interface Buckets {
  readonly base: number;
  readonly count: number;
}

export class FilterTable {
  readonly #layout: TableLayout;
  readonly #words: Uint32Array;
  readonly #key = new Uint32Array(KEY_WORDS_MAX);
  #value = 0;
  /** Where moves turn to; any sequence will do. */
  #turn = 1;

  /** `words` is the memory of the map. */
  constructor(layout: TableLayout, words: Uint32Array) {
    this.#layout = layout;
    this.#words = words;
  }

  clear({ base, count }: Buckets): void {
    const { strideWords } = this.#layout;
    this.#words.fill(0, base * strideWords, (base + count) * strideWords);
  }

  /** False where no room was found; then a rule of the region is missing: start over with another seed. */
  insert(buckets: Buckets, seed: number, entry: Entry): boolean {
    const { strideWords, overflow } = this.#layout;
    this.#take(entry);
    let avoided = -1;
    for (let moves = 0; moves < MOVES_MAX; moves++) {
      const hash = this.#hash(seed);
      const first = (buckets.base + firstBucket(hash, buckets.count)) * strideWords;
      const second = (buckets.base + secondBucket(hash, buckets.count)) * strideWords;
      if (this.#store(first)) return true;
      if (this.#store(second)) {
        if (overflow >= 0) this.#words[first + overflow] = 1;
        return true;
      }
      const victim = first === avoided ? second : first;
      if (victim === second && overflow >= 0) this.#words[first + overflow] = 1;
      this.#swap(victim);
      avoided = victim;
    }
    return false;
  }

  /** Changes the value of a key that is there; false where it is not. 0 frees the slot. */
  change(buckets: Buckets, seed: number, entry: Entry, value: number): boolean {
    const { strideWords, keyWords, keyAt, slots } = this.#layout;
    this.#take(entry);
    const hash = this.#hash(seed);
    for (const index of [firstBucket(hash, buckets.count), secondBucket(hash, buckets.count)]) {
      const at = (buckets.base + index) * strideWords;
      const slot = this.#find(at);
      if (slot < 0) continue;
      this.#words[at + this.#layout.valueAt[slot]!] = value;
      if (value === 0) {
        for (let i = 0; i < keyWords; i++) this.#words[at + keyAt[slot * keyWords + i]!] = 0;
      }
      return slots > 0;
    }
    return false;
  }

  #take({ key, value }: Entry): void {
    for (let i = 0; i < this.#layout.keyWords; i++) this.#key[i] = key[i]!;
    this.#value = value;
  }

  #hash(seed: number): number {
    const { keyWords } = this.#layout;
    const kind = (this.#value >>> KIND_SHIFT) & KIND_MASK;
    let hash = keyWords === 1 ? kindSeed(seed, kind) : seed;
    for (let i = 0; i < keyWords; i++) hash = mix(hash, this.#key[i]!);
    return mixEnd(hash);
  }

  #find(at: number): number {
    const { slots, keyWords, keyAt, valueAt } = this.#layout;
    for (let slot = 0; slot < slots; slot++) {
      const value = this.#words[at + valueAt[slot]!]!;
      if (value === 0 || ((value ^ this.#value) >>> KIND_SHIFT) & KIND_MASK) continue;
      let same = true;
      for (let i = 0; i < keyWords && same; i++) {
        same = this.#words[at + keyAt[slot * keyWords + i]!] === this.#key[i];
      }
      if (same) return slot;
    }
    return -1;
  }

  /** Puts what is in hand into a free slot of the bucket. */
  #store(at: number): boolean {
    const { slots, keyWords, keyAt, valueAt } = this.#layout;
    for (let slot = 0; slot < slots; slot++) {
      if (this.#words[at + valueAt[slot]!] !== 0) continue;
      for (let i = 0; i < keyWords; i++) {
        this.#words[at + keyAt[slot * keyWords + i]!] = this.#key[i]!;
      }
      this.#words[at + valueAt[slot]!] = this.#value;
      return true;
    }
    return false;
  }

  /** Exchanges what is in hand for a slot of the bucket. */
  #swap(at: number): void {
    const { slots, keyWords, keyAt, valueAt } = this.#layout;
    this.#turn = (Math.imul(this.#turn, 0x2c1b3c6d) + 0x297a2d39) | 0;
    const slot = (this.#turn >>> 16) % slots;
    for (let i = 0; i < keyWords; i++) {
      const word = at + keyAt[slot * keyWords + i]!;
      const held = this.#words[word]!;
      this.#words[word] = this.#key[i]!;
      this.#key[i] = held;
    }
    const word = at + valueAt[slot]!;
    const held = this.#words[word]!;
    this.#words[word] = this.#value;
    this.#value = held;
  }
}
