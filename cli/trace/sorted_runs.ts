/**
 * First half of an external sort: records are collected up to a limit, sorted by time, and written
 * to a file as one run. Records of equal time keep their order.
 */

import { closeSync, openSync, writeSync } from "node:fs";
import { RECORD } from "./import_record.ts";

const STAGING_BYTES = 256 * 1024;

/** What sorting needs in memory; may serve one `SortedRuns` after another. */
export class SortMemory {
  readonly bytes: Uint8Array;
  /** The same memory: records start on multiples of 8. */
  readonly words: Uint32Array;
  readonly starts: Uint32Array;
  readonly staging = new Uint8Array(STAGING_BYTES);

  /** Holds `runBytes` of records: a multiple of 8, more than the longest record. */
  constructor(runBytes: number) {
    this.bytes = new Uint8Array(runBytes);
    this.words = new Uint32Array(this.bytes.buffer);
    this.starts = new Uint32Array(Math.ceil(runBytes / RECORD.context));
  }
}

export class SortedRuns {
  /** Paths of the runs, in the order of their records' arrival. */
  readonly paths: string[] = [];
  /** Records in all runs and in memory. */
  records = 0;
  readonly #fileFor: (index: number) => string;
  readonly #memory: SortMemory;
  #length = 0;
  #count = 0;

  /** `fileFor` names the file of each run. */
  constructor(memory: SortMemory, fileFor: (index: number) => string) {
    this.#memory = memory;
    this.#fileFor = fileFor;
  }

  /** Takes a copy of a record. */
  push(record: Uint8Array, length: number): void {
    const { bytes, starts } = this.#memory;
    if (this.#length + length > bytes.length) this.#writeRun();
    const start = this.#length;
    for (let i = 0; i < length; i++) bytes[start + i] = record[i]!;
    starts[this.#count++] = start;
    this.#length += length;
    this.records++;
  }

  /** Writes what is still in memory. */
  finish(): void {
    if (this.#count > 0) this.#writeRun();
  }

  #writeRun(): void {
    const { words, starts } = this.#memory;
    const order = starts.subarray(0, this.#count);
    // Stable, as every sort of ECMAScript is.
    order.sort((a, b) => {
      const high = words[(a >> 2) + 1]! - words[(b >> 2) + 1]!;
      return high !== 0 ? high : words[a >> 2]! - words[b >> 2]!;
    });
    const path = this.#fileFor(this.paths.length);
    const file = openSync(path, "wx");
    try {
      this.#writeOrdered(file, order);
    } finally {
      closeSync(file);
    }
    this.paths.push(path);
    this.#count = 0;
    this.#length = 0;
  }

  #writeOrdered(file: number, order: Uint32Array): void {
    const { bytes, words, staging } = this.#memory;
    let staged = 0;
    for (const start of order) {
      const lengthWord = words[(start + RECORD.length) >> 2]!;
      const length = lengthWord & 0xffff; // the u16 at a multiple of 4 is the word's low half
      if (staged + length > staging.length) {
        writeAll(file, staging, staged);
        staged = 0;
      }
      staging.set(bytes.subarray(start, start + length), staged);
      staged += length;
    }
    writeAll(file, staging, staged);
  }
}

/** Writes `bytes[0, length)`; a file system may take them in parts. */
export function writeAll(file: number, bytes: Uint8Array, length: number): void {
  for (let done = 0; done < length; ) done += writeSync(file, bytes, done, length - done);
}
