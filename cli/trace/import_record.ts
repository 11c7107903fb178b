/**
 * An event on its way from a text recording to a trace: what the sort keeps in memory and in its
 * temporary files. Fixed offsets, 8-byte aligned, so that a record needs no object.
 */

import { COMM_BYTES } from "#core/trace/task_facts.ts";

/** Offsets in bytes. The context follows without the zeros at its end. */
export const RECORD = {
  timeLow: 0, // u32
  timeHigh: 4, // u32
  length: 8, // u16: of the record, a multiple of 8
  cpu: 10, // u16
  hook: 12, // u8
  task: 16, // what makes a task: all bytes from here to the context
  pid: 16, // u32
  tid: 20, // u32
  cgroup_id: 24, // u64
  comm: 32, // u8[16]
  context: 32 + COMM_BYTES,
} as const;

export const RECORD_BYTES_MAX = 256;

/** The highest thread id that Linux gives (PID_MAX_LIMIT of 64-bit kernels, less one). */
export const TID_MAX = 4 * 1024 * 1024 - 1;

/** Takes a record at the start of `bytes`, which are valid during the call only. */
export type RecordSink = (bytes: Uint8Array, length: number) => void;
