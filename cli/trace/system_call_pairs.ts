/**
 * Makes two records of each system call, keeping the calls of one thread apart.
 *
 * A thread is in one system call at a time, but a recording has enter times as exit time minus
 * latency, from two readings of the clock, so that an enter may seem to lie before the thread's
 * previous exit. It then counts as having happened right at that exit. Calls therefore have to come
 * in the order of their exits: looking at enters first could not tell which of two overlapping
 * calls came first.
 */

import { LINUX_6_18_HOOKS } from "#core/trace/linux_hooks.ts";
import { RECORD, RECORD_BYTES_MAX, type RecordSink, TID_MAX } from "./import_record.ts";
import { type Halves, subtract } from "./numbers.ts";

const { sys_enter, sys_exit } = LINUX_6_18_HOOKS;
const ID = RECORD.context + fieldOffset(sys_exit.fields, "id");
const ENTER_LENGTH = RECORD.context + fieldOffset(sys_enter.fields, "args");
const EXIT_LENGTH = RECORD.context + sys_exit.size;

/** A whole system call: the record of its exit, and behind that the latency, u64. */
export const LATENCY = EXIT_LENGTH;
export const SYSTEM_CALL_LENGTH = EXIT_LENGTH + 8;

export class SystemCallPairs {
  /** Enters that were moved to the previous exit of their thread. */
  adjusted = 0;
  readonly #sink: RecordSink;
  /** Time of each thread's last exit, by tid. Untouched parts take no memory. */
  readonly #exitHigh = new Uint32Array(TID_MAX + 1);
  readonly #exitLow = new Uint32Array(TID_MAX + 1);
  readonly #enter = new Uint8Array(RECORD_BYTES_MAX);
  readonly #enterView = new DataView(this.#enter.buffer);
  readonly #exit = new Uint8Array(RECORD_BYTES_MAX);
  readonly #exitView = new DataView(this.#exit.buffer);
  readonly #time: Halves = { high: 0, low: 0 };
  readonly #latency: Halves = { high: 0, low: 0 };

  constructor(sink: RecordSink) {
    this.#sink = sink;
  }

  /** Takes the next record in the order of the lines' time stamps. */
  push(record: Uint8Array, length: number): void {
    if (record[RECORD.hook] === sys_exit.id) this.#split(record);
    else this.#sink(record, length);
  }

  #split(call: Uint8Array): void {
    for (let i = 0; i < SYSTEM_CALL_LENGTH; i++) this.#exit[i] = call[i]!;
    const exit = this.#exitView;
    this.#time.high = exit.getUint32(RECORD.timeHigh, true);
    this.#time.low = exit.getUint32(RECORD.timeLow, true);
    this.#latency.high = exit.getUint32(LATENCY + 4, true);
    this.#latency.low = exit.getUint32(LATENCY, true);
    const { high, low } = this.#time;
    if (!subtract(this.#time, this.#latency)) throw new Error("latency_ns exceeds ts_ns");
    this.#afterPreviousExit(exit.getUint32(RECORD.tid, true), high, low);
    this.#emitEnter();
    exit.setUint16(RECORD.length, EXIT_LENGTH, true);
    this.#sink(this.#exit, EXIT_LENGTH);
  }

  /** Moves `#time` to the thread's previous exit if it lies before; remembers the new exit. */
  #afterPreviousExit(tid: number, exitHigh: number, exitLow: number): void {
    const high = this.#exitHigh[tid]!;
    const low = this.#exitLow[tid]!;
    const time = this.#time;
    if (time.high < high || (time.high === high && time.low < low)) {
      time.high = high;
      time.low = low;
      this.adjusted++;
    }
    this.#exitHigh[tid] = exitHigh;
    this.#exitLow[tid] = exitLow;
  }

  #emitEnter(): void {
    // The task, the CPU and the system call's number are those of the exit.
    for (let i = 0; i < ID + 8; i++) this.#enter[i] = this.#exit[i]!;
    this.#enterView.setUint32(RECORD.timeHigh, this.#time.high, true);
    this.#enterView.setUint32(RECORD.timeLow, this.#time.low, true);
    this.#enterView.setUint8(RECORD.hook, sys_enter.id);
    this.#enterView.setUint16(RECORD.length, ENTER_LENGTH, true);
    this.#sink(this.#enter, ENTER_LENGTH);
  }
}

function fieldOffset(fields: readonly { name: string; offset: number }[], name: string): number {
  return fields.find((field) => field.name === name)!.offset;
}
