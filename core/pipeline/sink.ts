/** Where delivered records go. */
import type { RecordBatch } from "../backend.ts";
import type { EventSchema } from "../events/event_schema.ts";

/**
 * A sink accepts a whole batch or throws; a batch that it threw at is not delivered and is offered
 * again. `batch` is valid during the call only.
 */
export interface Sink {
  readonly name: string;
  write(batch: RecordBatch, schema: EventSchema): void;
  /** Where events may be lost after `write` accepted them: who is told of each. */
  losses?(
    listener: (
      collector: string,
      reason: string,
      program: number,
      cpu: number,
      count: number,
    ) => void,
  ): void;
  /** Resolves when there is room for more; sources that can wait should. */
  ready?(): Promise<void>;
  /** Everything accepted so far is out when this resolves. */
  flush(): Promise<void>;
  close(): Promise<void>;
}
