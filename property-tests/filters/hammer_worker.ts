/** A thread that has the kernel judge without a pause, on one CPU, until it is told to stop. */
import { parentPort, workerData } from "node:worker_threads";
import { loadAddon } from "#kernel/addon.ts";

export interface HammerData {
  /** Descriptor of the program, which the main thread keeps open. */
  readonly program: number;
  readonly cpu: number;
  readonly rounds: number;
  /** One word; not 0: stop. */
  readonly stop: SharedArrayBuffer;
}

const { program, cpu, rounds, stop } = workerData as HammerData;
const addon = loadAddon();
const stopped = new Int32Array(stop);
const context = new Uint8Array(new BigUint64Array([BigInt(rounds)]).buffer);
const answer = new Uint32Array(2);
let runs = 0;
parentPort!.postMessage("ready");
while (Atomics.load(stopped, 0) === 0) {
  const status = addon.runProgram(program, 0, context, 0, cpu, answer);
  if (status < 0) throw new Error(`the program did not run: errno ${-status}`);
  runs++;
}
parentPort!.postMessage(runs);
