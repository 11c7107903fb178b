/** Compression of a block, given by whoever runs on a platform that has it. */
export interface BlockCodec {
  /** Written to every block, so that a reader knows what it needs. */
  readonly id: number;
  readonly name: string;
  compress(bytes: Uint8Array): Uint8Array;
  /** Throws where `bytes` is no frame, or holds anything but `rawLength` bytes. */
  decompress(bytes: Uint8Array, rawLength: number): Uint8Array;
}

export const CODEC_STORED = 0;
export const CODEC_ZSTD = 1;

/** No compression: for platforms without a codec, and to see what the columns alone save. */
export const STORED: BlockCodec = {
  id: CODEC_STORED,
  name: "stored",
  compress: (bytes) => bytes.slice(),
  decompress: (bytes) => bytes,
};
