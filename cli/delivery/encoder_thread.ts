/** What a thread of the encoder pool runs: encodes one batch after the other, in place where the records lie. */
import { parentPort, workerData } from "node:worker_threads";
import type { BatchEncoding } from "#core/batching/batch_sink.ts";
import type { EncodedRecords } from "#core/batching/encoding/record_encoder.ts";
import type { RecordSchema } from "#core/batching/encoding/record_schema.ts";
import { Encoders } from "./encoders.ts";

/** The schemas by collector. */
export type EncoderThreadData = ReadonlyMap<string, RecordSchema>;

/** Records of a lane; its arrays are views of shared memory, as in a `RecordBatch`. */
export interface EncodingTask {
  readonly kind: "encode";
  readonly collector: string;
  readonly encodings: readonly BatchEncoding[];
  readonly buffer: Uint8Array;
  readonly offsets: Uint32Array;
  readonly lengths: Uint32Array;
  readonly count: number;
}

/** A batch of a log. */
export interface ConversionTask {
  readonly kind: "convert";
  readonly collector: string;
  readonly encoding: BatchEncoding;
  readonly columnar: Uint8Array;
}

export interface EncoderJob {
  readonly id: number;
  readonly unixOffset_ns: bigint;
  readonly task: EncodingTask | ConversionTask;
}

/** In the order of the jobs; `ready` comes first. */
export type EncoderAnswer =
  | { readonly kind: "ready" }
  | { readonly kind: "encoded"; readonly id: number; readonly encoded: readonly EncodedRecords[] }
  | { readonly kind: "failed"; readonly id: number; readonly problem: string };

let unixOffset_ns = 0n;
const encoders = new Encoders(workerData as EncoderThreadData, () => unixOffset_ns);

function encode(task: EncoderJob["task"]): readonly EncodedRecords[] {
  if (task.kind === "convert") {
    return [encoders.convert(task.collector, task.columnar, task.encoding)];
  }
  const { collector, encodings, buffer, offsets, lengths, count } = task;
  const records = { buffer, view: new DataView(buffer.buffer), offsets, lengths, count };
  return encodings.map((encoding) => encoders.of(collector, encoding).encode(records));
}

function answer(job: EncoderJob): EncoderAnswer {
  const { id } = job;
  unixOffset_ns = job.unixOffset_ns;
  try {
    return { kind: "encoded", id, encoded: encode(job.task) };
  } catch (error) {
    return { kind: "failed", id, problem: String(error) };
  }
}

function post(message: EncoderAnswer): void {
  const encoded = message.kind === "encoded" ? message.encoded : [];
  parentPort!.postMessage(
    message,
    encoded.map(({ bytes }) => bytes.buffer as ArrayBuffer),
  );
}

parentPort!.on("message", (job: EncoderJob) => post(answer(job)));
post({ kind: "ready" });
