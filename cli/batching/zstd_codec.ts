/** zstd by Node's zlib, for columnar blocks. */
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { type BlockCodec, CODEC_ZSTD } from "#core/batching/encoding/block_codec.ts";

/** Higher levels save little more and take several times as long: `bench compression`. */
export const ZSTD_LEVEL_DEFAULT = 3;

export function zstdCodec(level: number = ZSTD_LEVEL_DEFAULT): BlockCodec {
  return {
    id: CODEC_ZSTD,
    name: "zstd",
    compress: (bytes) =>
      zstdCompressSync(bytes, {
        pledgedSrcSize: bytes.length,
        params: { [constants.ZSTD_c_compressionLevel]: level },
      }),
    decompress: (bytes, rawLength) =>
      zstdDecompressSync(bytes, { maxOutputLength: Math.max(1, rawLength) }),
  };
}
