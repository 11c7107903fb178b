/** The fixed start of a block. `docs/batch-format.md` describes it in words. */

/** `TBLK`, little-endian. */
export const BLOCK_MAGIC = 0x4b4c4254;
export const BLOCK_HEADER_BYTES = 40;

export const AT = {
  magic: 0,
  codec: 4,
  flags: 5,
  /** Records. */
  count: 8,
  /** Bytes of the records as they came out of the ring. */
  recordBytes: 12,
  /** Bytes of the compressed section as stored, and before compression. */
  packed: 16,
  unpacked: 20,
  /** Bytes of the section that is never compressed. */
  noise: 24,
  /** Bytes of column descriptions at the start of the compressed section. */
  descriptions: 28,
  /** CRC-32C of both sections. */
  crc: 32,
  /** CRC-32C of the 36 bytes before it. */
  headerCrc: 36,
} as const;

/** Some record is longer than its struct: lengths and bytes of the rest follow the planes. */
export const FLAG_TAILS = 1;

/** No block is larger: what a damaged or hostile file can make a reader allocate. */
export const BLOCK_BYTES_MAX = 1 << 28;
export const RECORDS_PER_BLOCK_MAX = 1 << 20;
