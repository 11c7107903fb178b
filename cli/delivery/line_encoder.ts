/** Batches as JSON lines. */
import type { RecordBatch } from "#core/backend.ts";
import type { EncodedRecords, RecordEncoder } from "#core/batching/encoding/record_encoder.ts";
import { eventObject } from "#core/events/event_json.ts";
import type { EventSchema } from "#core/events/event_schema.ts";

export class LineEncoder implements RecordEncoder {
  readonly encoding = "ndjson";
  readonly #schema: EventSchema;

  constructor(schema: EventSchema) {
    this.#schema = schema;
  }

  encode(batch: RecordBatch): EncodedRecords {
    let text = "";
    let [count, rawBytes] = [0, 0];
    for (let i = 0; i < batch.count; i++) {
      const event = eventObject(batch, i, this.#schema);
      if (event === undefined) continue;
      text += `${JSON.stringify(event)}\n`;
      count += 1;
      rawBytes += batch.lengths[i]!;
    }
    return { bytes: Buffer.from(text), count, rawBytes, malformed: batch.count - count };
  }
}
