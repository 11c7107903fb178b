/** Keeps every event that a run delivers. */
import type { RecordBatch } from "#core/backend.ts";
import { type EventObject, eventObject } from "#core/events/event_json.ts";
import type { EventSchema } from "#core/events/event_schema.ts";
import type { Sink } from "#core/pipeline/sink.ts";

export interface Delivered {
  /** Which record it is, whatever the configuration. */
  readonly key: string;
  readonly bytes: number;
  readonly event: EventObject;
}

export class CollectingSink implements Sink {
  readonly name = "collected";
  readonly events: Delivered[] = [];

  write(batch: RecordBatch, schema: EventSchema): void {
    for (let i = 0; i < batch.count; i++) {
      const event = eventObject(batch, i, schema)!;
      const { timestamp_ns, cpu, tid } = event as Record<string, string | number>;
      const key = [event["event"], timestamp_ns, cpu, tid].join();
      this.events.push({ key, bytes: batch.lengths[i]!, event });
    }
  }

  async flush(): Promise<void> {}
  async close(): Promise<void> {}
}
