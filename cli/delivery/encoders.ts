/** The encoder of an encoding, for the main thread and for threads of the pool. */
import type { BatchEncoding } from "#core/batching/batch_sink.ts";
import { ColumnarEncoder } from "#core/batching/encoding/columnar_encoder.ts";
import { NdjsonEncoder } from "#core/batching/encoding/ndjson_encoder.ts";
import { OtlpLogsEncoder } from "#core/batching/encoding/otlp_encoder.ts";
import type { RecordEncoder } from "#core/batching/encoding/record_encoder.ts";
import type { RecordSchema } from "#core/batching/encoding/record_schema.ts";
import { zstdCodec } from "../batching/zstd_codec.ts";

/** `unixOffset_ns`: from the records' clock to Unix time, asked once a batch. */
export function createRecordEncoder(
  records: RecordSchema,
  encoding: BatchEncoding,
  unixOffset_ns: () => bigint,
): RecordEncoder {
  switch (encoding) {
    case "ndjson":
      return new NdjsonEncoder(records);
    case "columnar":
      return new ColumnarEncoder(records, zstdCodec());
    case "otlp_logs":
      return new OtlpLogsEncoder(records, {
        resource: { "service.name": "tapio-bpf" },
        unixOffset_ns,
      });
  }
}
