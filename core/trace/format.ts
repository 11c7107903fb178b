/**
 * Constants of the trace format: `docs/trace-format.md` as code. All numbers are little-endian.
 */

/** First bytes of a trace. The high bit and the line feed expose transfers that mangle text. */
export const MAGIC = Uint8Array.of(0x89, 0x54, 0x41, 0x50, 0x54, 0x52, 0x43, 0x0a); // \x89TAPTRC\n
export const VERSION = 1;

/** The file header, which the schema's JSON follows. */
export const FILE_HEADER = {
  magic: 0,
  version: 8, // u16
  reserved: 10, // u16, zero
  schemaLength: 12, // u32
  crc: 16, // u32, over bytes 0-15 and the JSON
  size: 20,
} as const;

/** The header of a block, which the stored payload follows. */
export const BLOCK_HEADER = {
  type: 0, // u8
  flags: 1, // u8
  reserved: 2, // u16, zero
  sequence: 4, // u32, 0 for the first block
  records: 8, // u32
  storedLength: 12, // u32
  rawLength: 16, // u32
  crc: 20, // u32, over bytes 0-19 and the stored payload
  size: 24,
} as const;

export const BLOCK_TYPE = { tasks: 1, events: 2, loss: 3, trailer: 4 } as const;

/** Block flag: the payload is one zstd frame with a window of at most 1 MiB. */
export const FLAG_ZSTD = 1;

/** What a reader must be ready for, and a writer must keep to. */
export const LIMITS = {
  schemaBytes: 1 << 20,
  blockRecords: 4096,
  blockBytes: 1 << 20,
  taskSlots: 1 << 16,
  /** Of one record, so that the largest still fits a block with its columns. */
  contextBytes: 1 << 16,
  hooks: 256,
  cpus: 1 << 16,
} as const;

/** Bytes of an event in the columns: time delta u32, CPU u16, task slot u16, hook u8. */
export const EVENT_COLUMN_BYTES = 9;
/** The base time in front of the columns. */
export const EVENT_BASE_BYTES = 8;

/** Where the contexts of an event block start: after the columns, on the next multiple of 8. */
export function contextsOffset(records: number): number {
  return (EVENT_BASE_BYTES + EVENT_COLUMN_BYTES * records + 7) & ~7;
}

export const LOSS_RECORD_BYTES = 16;

/** Why a recorder has no record of something that happened. Index = code in the file. */
export const LOSS_REASONS = [
  /** Nobody knows why. */
  "unknown",
  /** No room in the buffer between kernel and recorder. */
  "ring_full",
  /** The kernel skipped the recording program (recursion, missed probe). */
  "missed",
  /** A record arrived that the recorder could not make sense of. */
  "undecodable",
] as const;

export type LossReason = (typeof LOSS_REASONS)[number];

/** One count of lost records; counts of one reason add up. */
export interface Loss {
  readonly reason: LossReason;
  readonly records: number;
}

/** What a whole trace holds; the trailer states it and readers check it. */
export interface TraceTotals {
  /** Event records. */
  readonly records: number;
  /** Task definitions; a task whose slot was reused in between counts again. */
  readonly tasks: number;
  readonly lost: number;
  /** Time of the first and the last event; 0 where there is none. */
  readonly first_ns: bigint;
  readonly last_ns: bigint;
  /** Event records by hook, in the schema's order. */
  readonly recordsByHook: readonly number[];
}

/** Bytes of the trailer's payload before the counts by hook. */
export const TRAILER_FIXED_BYTES = 40;
