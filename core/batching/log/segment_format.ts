/**
 * Bytes of a segment: its header, records with a length before each, a seal behind the last. Every
 * byte is covered by a CRC-32C. `docs/log.md` describes them in words.
 */
import { crc32c } from "../../trace/crc32c.ts";

/** `TAPIOLOG` */
const MAGIC = Uint8Array.of(0x54, 0x41, 0x50, 0x49, 0x4f, 0x4c, 0x4f, 0x47);
const VERSION = 1;
const HEADER_FIXED = 36;
const CRC_BYTES = 4;
const LOG_HEADER_MAX = 1 << 20;
/** `TREC` and `TEND`, little-endian. */
const RECORD_MAGIC = 0x43455254;
const SEAL_MAGIC = 0x444e4554;
export const RECORD_HEADER_BYTES = 40;
const TWO_32 = 2 ** 32;
const NAME = /^(\d{12})-(\d{16})\.segment$/;

export interface SegmentHeader {
  readonly id: number;
  /** Sequence of the first record. */
  readonly first: number;
  /**
   * Records at its start that were taken over from a segment that was abandoned. Once all are there,
   * whatever older segments hold from `first` on is void.
   */
  readonly rewritten: number;
  /** The log's header when it was written. */
  readonly logHeader: Uint8Array;
}

export interface RecordHeader {
  readonly kind: "record" | "seal";
  readonly length: number;
  readonly count: number;
  /** Half of the dedupe key: the segment that the record was first written to. */
  readonly segment: number;
  readonly sequence: number;
  /** CRC-32C of the log's header that describes the payload. */
  readonly schema: number;
  readonly crc: number;
}

/** Both numbers stand in the name too, so that a damaged header does not take them away. */
export function segmentName(id: number, first: number): string {
  return `${String(id).padStart(12, "0")}-${String(first).padStart(16, "0")}.segment`;
}

export function parseSegmentName(name: string): { id: number; first: number } | undefined {
  const match = NAME.exec(name);
  return match === null ? undefined : { id: Number(match[1]), first: Number(match[2]) };
}

function setNumber(view: DataView, at: number, value: number): void {
  view.setUint32(at, value % TWO_32, true);
  view.setUint32(at + 4, Math.floor(value / TWO_32), true);
}

function getNumber(view: DataView, at: number): number {
  return view.getUint32(at, true) + TWO_32 * view.getUint32(at + 4, true);
}

export function segmentHeaderBytes(logHeader: Uint8Array): number {
  return HEADER_FIXED + logHeader.length + CRC_BYTES;
}

export function encodeSegmentHeader(header: SegmentHeader): Uint8Array {
  const bytes = new Uint8Array(segmentHeaderBytes(header.logHeader));
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  view.setUint32(8, VERSION, true);
  view.setUint32(12, header.logHeader.length, true);
  setNumber(view, 16, header.id);
  setNumber(view, 24, header.first);
  view.setUint32(32, header.rewritten, true);
  bytes.set(header.logHeader, HEADER_FIXED);
  const end = bytes.length - CRC_BYTES;
  view.setUint32(end, crc32c(bytes, 0, end), true);
  return bytes;
}

/** Undefined where it is damaged, or of another version. */
export function decodeSegmentHeader(bytes: Uint8Array): SegmentHeader | undefined {
  if (bytes.length < HEADER_FIXED + CRC_BYTES) return undefined;
  if (MAGIC.some((byte, i) => bytes[i] !== byte)) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const length = view.getUint32(12, true);
  const end = HEADER_FIXED + length;
  if (view.getUint32(8, true) !== VERSION || length > LOG_HEADER_MAX) return undefined;
  if (bytes.length < end + CRC_BYTES) return undefined;
  if (view.getUint32(end, true) !== crc32c(bytes, 0, end)) return undefined;
  return {
    id: getNumber(view, 16),
    first: getNumber(view, 24),
    rewritten: view.getUint32(32, true),
    logHeader: bytes.slice(HEADER_FIXED, end),
  };
}

/** Writes the record header for `payload` at `at`; the payload goes right behind it. */
export function encodeRecordHeader(
  bytes: Uint8Array,
  at: number,
  record: Omit<RecordHeader, "crc" | "length">,
  payload: Uint8Array,
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, RECORD_HEADER_BYTES);
  view.setUint32(0, record.kind === "record" ? RECORD_MAGIC : SEAL_MAGIC, true);
  view.setUint32(4, payload.length, true);
  view.setUint32(8, record.count, true);
  setNumber(view, 12, record.segment);
  setNumber(view, 20, record.sequence);
  view.setUint32(28, record.schema, true);
  view.setUint32(32, crc32c(payload), true);
  view.setUint32(36, crc32c(bytes, at, at + 36), true);
}

/** Undefined where no intact record header stands at `at`. */
export function decodeRecordHeader(bytes: Uint8Array, at: number): RecordHeader | undefined {
  if (bytes.length - at < RECORD_HEADER_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, RECORD_HEADER_BYTES);
  const magic = view.getUint32(0, true);
  if (magic !== RECORD_MAGIC && magic !== SEAL_MAGIC) return undefined;
  if (view.getUint32(36, true) !== crc32c(bytes, at, at + 36)) return undefined;
  return {
    kind: magic === RECORD_MAGIC ? "record" : "seal",
    length: view.getUint32(4, true),
    count: view.getUint32(8, true),
    segment: getNumber(view, 12),
    sequence: getNumber(view, 20),
    schema: view.getUint32(28, true),
    crc: view.getUint32(32, true),
  };
}
