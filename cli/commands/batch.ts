/** `tapio-bpf batch cat`: a columnar file as JSON lines. */
import { readFileSync, writeSync } from "node:fs";
import { STORED } from "#core/batching/encoding/block_codec.ts";
import { readColumnarFile } from "#core/batching/encoding/columnar_file.ts";
import { NdjsonEncoder } from "#core/batching/encoding/ndjson_encoder.ts";
import { BpfError } from "#core/errors.ts";
import { zstdCodec } from "../batching/zstd_codec.ts";
import type { Command } from "../command.ts";

const STANDARD_OUTPUT = 1;
const PAUSE = new Int32Array(new SharedArrayBuffer(4));
const PAUSE_MS = 1;

function read(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new BpfError(`read ${path}`, (cause as Error).message, {
      hint: "give a file that a file sink wrote",
      cause,
    });
  }
}

/** False: nobody reads any more. */
function write(bytes: Uint8Array): boolean {
  for (let written = 0; written < bytes.length; ) {
    try {
      written += writeSync(STANDARD_OUTPUT, bytes, written);
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      if (code === "EPIPE") return false;
      if (code !== "EAGAIN") throw cause;
      Atomics.wait(PAUSE, 0, 0, PAUSE_MS);
    }
  }
  return true;
}

export const batchCatCommand: Command = {
  words: ["batch", "cat"],
  summary: "prints the events of a columnar file (docs/batch-format.md) as JSON lines",
  usage: "FILE",
  options: {},
  positionals: [1, 1],
  async run({ positionals }) {
    const path = positionals[0]!;
    const { schema, batches } = readColumnarFile(read(path), [zstdCodec(), STORED]);
    const encoder = new NdjsonEncoder(schema);
    for (const batch of batches) if (!write(encoder.encode(batch).bytes)) break;
    return 0;
  },
};
