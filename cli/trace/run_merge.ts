/**
 * Second half of an external sort: runs become one sequence in time order. Records of equal time
 * come in the order of the runs, so the whole sort keeps the order of arrival.
 */

import { closeSync, openSync, readSync, unlinkSync } from "node:fs";
import { RECORD, RECORD_BYTES_MAX, type RecordSink } from "./import_record.ts";
import { type SortedRuns, writeAll } from "./sorted_runs.ts";

/** Runs read at once: each costs a file descriptor and a buffer. */
export const FAN_IN = 128;
const BUFFER_BYTES = 64 * 1024;
const RECORDS_PER_STEP = 16_384;

/** A run being read: its next record starts at `at`. */
class RunReader {
  readonly bytes = new Uint8Array(BUFFER_BYTES);
  readonly words = new Uint32Array(this.bytes.buffer);
  at = 0;
  #end = 0;
  readonly #path: string;
  readonly #file: number;

  constructor(path: string) {
    this.#path = path;
    this.#file = openSync(path, "r");
  }

  get recordLength(): number {
    return this.words[(this.at + RECORD.length) >> 2]! & 0xffff;
  }

  /** Makes the record at `at` whole in memory; false at the end of the run. */
  fill(): boolean {
    if (this.#end - this.at >= RECORD_BYTES_MAX) return true;
    this.bytes.copyWithin(0, this.at, this.#end);
    this.#end -= this.at;
    this.at = 0;
    for (;;) {
      const read = readSync(this.#file, this.bytes, this.#end, BUFFER_BYTES - this.#end, null);
      this.#end += read;
      if (read === 0 || this.#end >= RECORD_BYTES_MAX) return this.#end > 0;
    }
  }

  close(): void {
    closeSync(this.#file);
    unlinkSync(this.#path);
  }
}

/** Merges up to `FAN_IN` runs, a step at a time. Deletes each run at its end. */
class RunMerge {
  /** Binary heap of indices into `#runs`: the run with the earliest record is first. */
  readonly #heap: number[] = [];
  readonly #runs: RunReader[] = [];
  readonly #open = new Set<RunReader>();

  open(paths: readonly string[]): void {
    for (const path of paths) {
      const run = new RunReader(path);
      this.#runs.push(run);
      this.#open.add(run);
      if (run.fill()) this.#heap.push(this.#runs.length - 1);
      else this.#close(run);
    }
    for (let i = (this.#heap.length >> 1) - 1; i >= 0; i--) this.#siftDown(i);
  }

  /** Hands on at most `RECORDS_PER_STEP` records; false when there are no more. */
  step(sink: RecordSink): boolean {
    for (let n = 0; n < RECORDS_PER_STEP; n++) {
      if (this.#heap.length === 0) return false;
      const run = this.#runs[this.#heap[0]!]!;
      const length = run.recordLength;
      sink(run.bytes.subarray(run.at, run.at + length), length);
      run.at += length;
      if (!run.fill()) {
        this.#close(run);
        const last = this.#heap.pop()!;
        if (this.#heap.length === 0) return false;
        this.#heap[0] = last;
      }
      this.#siftDown(0);
    }
    return true;
  }

  close(): void {
    for (const run of this.#open) this.#close(run);
  }

  #close(run: RunReader): void {
    this.#open.delete(run);
    run.close();
  }

  #siftDown(start: number): void {
    const heap = this.#heap;
    let parent = start;
    for (;;) {
      let child = 2 * parent + 1;
      if (child >= heap.length) return;
      if (child + 1 < heap.length && this.#before(heap[child + 1]!, heap[child]!)) child++;
      if (!this.#before(heap[child]!, heap[parent]!)) return;
      const moved = heap[parent]!;
      heap[parent] = heap[child]!;
      heap[child] = moved;
      parent = child;
    }
  }

  #before(a: number, b: number): boolean {
    const left = this.#runs[a]!;
    const right = this.#runs[b]!;
    const leftAt = left.at >> 2;
    const rightAt = right.at >> 2;
    const high = left.words[leftAt + 1]! - right.words[rightAt + 1]!;
    if (high !== 0) return high < 0;
    const low = left.words[leftAt]! - right.words[rightAt]!;
    return low !== 0 ? low < 0 : a < b;
  }
}

/**
 * Hands all records of the runs to `sink`, in order; deletes the runs. More than `fanIn` runs are
 * first merged to fewer, always neighbours. Lets other work go on between steps, signals above all.
 */
export async function mergeRuns(runs: SortedRuns, sink: RecordSink, fanIn = FAN_IN): Promise<void> {
  let paths: readonly string[] = runs.paths;
  for (let pass = 0; paths.length > fanIn; pass++) {
    const longer: string[] = [];
    for (let i = 0; i < paths.length; i += fanIn) {
      const path = `${paths[i]}-pass-${pass}`;
      await mergeToFile(paths.slice(i, i + fanIn), path);
      longer.push(path);
    }
    paths = longer;
  }
  await merge(paths, sink);
}

async function mergeToFile(paths: readonly string[], path: string): Promise<void> {
  const file = openSync(path, "wx");
  try {
    const staging = new Uint8Array(256 * 1024);
    let staged = 0;
    await merge(paths, (record, length) => {
      if (staged + length > staging.length) {
        writeAll(file, staging, staged);
        staged = 0;
      }
      staging.set(record, staged);
      staged += length;
    });
    writeAll(file, staging, staged);
  } finally {
    closeSync(file);
  }
}

async function merge(paths: readonly string[], sink: RecordSink): Promise<void> {
  const merging = new RunMerge();
  try {
    merging.open(paths);
    while (merging.step(sink)) await new Promise((resolve) => setImmediate(resolve));
  } finally {
    merging.close();
  }
}
