/** How a collector's encoded batches go on: to the log, or to the sinks directly. */
import type { BatchEncoding, BatchSink } from "./batch_sink.ts";
import type { EncodedRecords } from "./encoding/record_encoder.ts";
import type { LogAppender } from "./log_appender.ts";
import type { Outboxes } from "./outboxes.ts";
import type { Ticket } from "./ticket.ts";

/** `encoded` is in the order of the collector's encodings. */
export type SendBatch = (ticket: Ticket, encoded: readonly EncodedRecords[]) => void;

export function toLog(appender: LogAppender): SendBatch {
  return (ticket, [columnar]) => void appender.append(columnar!, ticket);
}

export interface DirectRoute {
  readonly collector: string;
  readonly schemaHeader: Uint8Array;
  readonly encodings: readonly BatchEncoding[];
  readonly sinks: readonly BatchSink[];
  readonly outboxes: Outboxes;
}

export function toSinks(route: DirectRoute): SendBatch {
  const { collector, schemaHeader, encodings, sinks, outboxes } = route;
  const places = sinks.map(({ encoding }) => encodings.indexOf(encoding));
  let sequence = 0;
  return (ticket, encoded) => {
    sequence += 1;
    const batches = places.map((place) => {
      const { bytes, count } = encoded[place]!;
      return { bytes, count, collector, segment: 0, sequence, schemaHeader };
    });
    outboxes.offer(batches, ticket);
  };
}
