/** The encoders and decoders of one thread: the main one, or one of the pool. */
import type { BatchEncoding } from "#core/batching/batch_sink.ts";
import { ColumnarDecoder } from "#core/batching/encoding/columnar_decoder.ts";
import { ColumnarEncoder } from "#core/batching/encoding/columnar_encoder.ts";
import { NdjsonEncoder } from "#core/batching/encoding/ndjson_encoder.ts";
import { OtlpLogsEncoder } from "#core/batching/encoding/otlp_encoder.ts";
import type { EncodedRecords, RecordEncoder } from "#core/batching/encoding/record_encoder.ts";
import type { RecordSchema } from "#core/batching/encoding/record_schema.ts";
import { zstdCodec } from "../batching/zstd_codec.ts";

/** Each is created once, when it is needed: they keep scratch memory. */
export class Encoders {
  readonly #schemas: ReadonlyMap<string, RecordSchema>;
  readonly #unixOffset_ns: () => bigint;
  readonly #encoders = new Map<string, RecordEncoder>();
  readonly #decoders = new Map<string, ColumnarDecoder>();

  /** `schemas` by collector; `unixOffset_ns` from the records' clock to Unix time, asked once a batch. */
  constructor(schemas: ReadonlyMap<string, RecordSchema>, unixOffset_ns: () => bigint) {
    this.#schemas = schemas;
    this.#unixOffset_ns = unixOffset_ns;
  }

  of(collector: string, encoding: BatchEncoding): RecordEncoder {
    const key = `${collector} ${encoding}`;
    const encoder = this.#encoders.get(key) ?? this.#create(collector, encoding);
    this.#encoders.set(key, encoder);
    return encoder;
  }

  #create(collector: string, encoding: BatchEncoding): RecordEncoder {
    const schema = this.#schemas.get(collector)!;
    switch (encoding) {
      case "ndjson":
        return new NdjsonEncoder(schema);
      case "columnar":
        return new ColumnarEncoder(schema, zstdCodec());
      case "otlp_logs":
        return new OtlpLogsEncoder(schema, {
          resource: { "service.name": "tapio-bpf" },
          unixOffset_ns: this.#unixOffset_ns,
        });
    }
  }

  /** A columnar batch in another encoding. Throws where it cannot be read. */
  convert(collector: string, columnar: Uint8Array, encoding: BatchEncoding): EncodedRecords {
    const decoder =
      this.#decoders.get(collector) ??
      new ColumnarDecoder(this.#schemas.get(collector)!, [zstdCodec()]);
    this.#decoders.set(collector, decoder);
    return this.of(collector, encoding).encode(decoder.decode(columnar));
  }
}
