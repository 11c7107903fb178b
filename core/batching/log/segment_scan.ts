/** Everything that is intact in the bytes of a segment. */
import { crc32c } from "../../trace/crc32c.ts";
import {
  decodeRecordHeader,
  decodeSegmentHeader,
  RECORD_HEADER_BYTES,
  type RecordHeader,
  type SegmentHeader,
  segmentHeaderBytes,
} from "./segment_format.ts";

export interface ScannedRecord extends RecordHeader {
  /** Where the payload begins. */
  readonly at: number;
}

export interface ScannedSegment {
  /** Undefined where it is damaged. */
  readonly header: SegmentHeader | undefined;
  readonly records: readonly ScannedRecord[];
  /** Sequence after its last record, where a seal says so. */
  readonly next: number | undefined;
  /** Some bytes belong to nothing intact: damage, or a write that did not end. */
  readonly damaged: boolean;
  /** All of them stand behind the last record, and no seal does: as a failed or killed writer leaves it. */
  readonly torn: boolean;
}

/**
 * Skips what is damaged: a record whose payload is wrong by its length, anything else by looking for
 * the next intact record header.
 */
export function scanSegment(bytes: Uint8Array): ScannedSegment {
  const header = decodeSegmentHeader(bytes);
  const records: ScannedRecord[] = [];
  let next: number | undefined;
  let damaged = header === undefined;
  let early = damaged;
  let at = header === undefined ? 0 : segmentHeaderBytes(header.logHeader);
  while (at < bytes.length) {
    const record = decodeRecordHeader(bytes, at);
    if (record === undefined) {
      damaged = true;
      at++;
      continue;
    }
    const start = at + RECORD_HEADER_BYTES;
    const end = start + record.length;
    if (end > bytes.length) {
      damaged = true;
      break;
    }
    if (crc32c(bytes, start, end) !== record.crc) damaged = true;
    else {
      early ||= damaged;
      if (record.kind === "seal") next = record.sequence;
      else records.push({ ...record, at: start });
    }
    at = end;
  }
  const torn = damaged && !early && next === undefined;
  return { header, records, next, damaged, torn };
}
