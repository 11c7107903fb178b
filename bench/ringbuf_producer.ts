/** A thread of `bench ringbuf`: has the program write records at a steady rate. */
import { parentPort, workerData } from "node:worker_threads";
import { loadAddon } from "#kernel/addon.ts";

export interface ProducerData {
  /** Descriptor of the program, which the main thread keeps open. */
  readonly program: number;
  readonly records_per_s: number;
  readonly duration_s: number;
  readonly recordsPerRunMax: number;
}

const PAUSE_MS = 1;

const { program, records_per_s, duration_s, recordsPerRunMax } = workerData as ProducerData;
const addon = loadAddon();
const context = new BigUint64Array(1);
const bytes = new Uint8Array(context.buffer);
const answer = new Uint32Array(2);
const pause = new Int32Array(new SharedArrayBuffer(4));

const started_ms = performance.now();
let done = 0;
for (;;) {
  const elapsed_s = (performance.now() - started_ms) / 1000;
  if (elapsed_s >= duration_s) break;
  for (const due = Math.floor(elapsed_s * records_per_s); done < due; ) {
    const count = Math.min(due - done, recordsPerRunMax);
    context[0] = BigInt(count);
    addon.runProgram(program, 0, bytes, 0, -1, answer);
    done += count;
  }
  Atomics.wait(pause, 0, 0, PAUSE_MS);
}
parentPort!.postMessage("done");
