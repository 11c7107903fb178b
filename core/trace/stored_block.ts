/** Blocks as a trace stores them, and where they come from. */

/** A block whose checksum and lengths are right. */
export interface StoredBlock {
  readonly type: number;
  readonly records: number;
  /** Where it starts in the trace, in bytes. */
  readonly offset: number;
  /** The payload, decompressed; valid until the next block is asked for. */
  readonly raw: Uint8Array;
}

/** The blocks of one trace in their order. */
export interface BlockSource {
  /** Where the trace ended, once `next` has answered undefined. */
  readonly offset: number;
  /** The next block; undefined where the source ends before it does. Throws `TraceError`; errors of the source pass through. */
  next(): Promise<StoredBlock | undefined>;
  /** Gives everything back, also in the middle. */
  close(): Promise<void>;
}
