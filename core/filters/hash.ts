/** The hash of the kernel's filter tables: the same as in `bpf/include/filter_tables.h`. */

export function mix(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, 0x9e3779b1);
  return mixed ^ (mixed >>> 15);
}

export function mixEnd(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae3d);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

const TWO_32 = 2 ** 32;

/** First of a key's two buckets among `count`; the product is exact up to 2^21 buckets. */
export function firstBucket(hash: number, count: number): number {
  return Math.floor((hash * count) / TWO_32);
}

export function secondBucket(hash: number, count: number): number {
  return firstBucket(Math.imul(hash, 0x85ebca77) >>> 0, count);
}

/** Seed of a lookup of numbers of one kind. */
export function kindSeed(seed: number, kind: number): number {
  return (seed + Math.imul(kind, 0x27d4eb2f)) | 0;
}
