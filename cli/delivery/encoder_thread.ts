/** What a thread of the encoder pool runs: encodes one batch after the other, in place where the records lie. */
import { parentPort, workerData } from "node:worker_threads";
import type { BatchEncoding } from "#core/batching/batch_sink.ts";
import type { EncodedRecords, RecordEncoder } from "#core/batching/encoding/record_encoder.ts";
import type { RecordSchema } from "#core/batching/encoding/record_schema.ts";
import { createRecordEncoder } from "./encoders.ts";

/** The schemas by collector. */
export type EncoderThreadData = ReadonlyMap<string, RecordSchema>;

export interface EncodingJob {
  readonly id: number;
  readonly collector: string;
  readonly encodings: readonly BatchEncoding[];
  /** Views of shared memory, as in a `RecordBatch`. */
  readonly buffer: Uint8Array;
  readonly offsets: Uint32Array;
  readonly lengths: Uint32Array;
  readonly count: number;
  readonly unixOffset_ns: bigint;
}

/** In the order of the jobs; `ready` comes first. */
export type EncodingAnswer =
  | { readonly kind: "ready" }
  | { readonly kind: "encoded"; readonly id: number; readonly encoded: readonly EncodedRecords[] }
  | { readonly kind: "failed"; readonly id: number; readonly problem: string };

const schemas = workerData as EncoderThreadData;
const encoders = new Map<string, RecordEncoder>();
let unixOffset_ns = 0n;

function encoderOf(collector: string, encoding: BatchEncoding): RecordEncoder {
  const key = `${collector} ${encoding}`;
  let encoder = encoders.get(key);
  if (encoder === undefined) {
    encoder = createRecordEncoder(schemas.get(collector)!, encoding, () => unixOffset_ns);
    encoders.set(key, encoder);
  }
  return encoder;
}

function encode(job: EncodingJob): EncodingAnswer {
  const { id, collector, encodings, buffer, offsets, lengths, count } = job;
  const records = { buffer, view: new DataView(buffer.buffer), offsets, lengths, count };
  unixOffset_ns = job.unixOffset_ns;
  try {
    const encoded = encodings.map((encoding) => encoderOf(collector, encoding).encode(records));
    return { kind: "encoded", id, encoded };
  } catch (error) {
    return { kind: "failed", id, problem: String(error) };
  }
}

function post(answer: EncodingAnswer): void {
  const encoded = answer.kind === "encoded" ? answer.encoded : [];
  parentPort!.postMessage(
    answer,
    encoded.map(({ bytes }) => bytes.buffer as ArrayBuffer),
  );
}

parentPort!.on("message", (job: EncodingJob) => post(encode(job)));
post({ kind: "ready" });
