/** `sampling.reservoir`: some delivered events of each type and epoch, for people to look at. */
import type { RecordBatch } from "#core/backend.ts";
import type { Config } from "#core/config/config.ts";
import { ConfigError } from "#core/config/config_error.ts";
import type { EventSchema } from "#core/events/event_schema.ts";
import type { Sink } from "#core/pipeline/sink.ts";
import { type EventReservoir, EventReservoirs } from "#core/sampling/event_reservoirs.ts";
import type { Running } from "../running.ts";
import type { RunPart, RunPartKind } from "./part.ts";

class ReservoirsPart implements RunPart, Sink {
  readonly name = "reservoirs";
  #size = 0;
  #reservoirs: EventReservoirs | undefined;

  check({ sampling }: Config): void {
    if (sampling.reservoir.size === 0 || !sampling.consistent) return;
    throw new ConfigError(
      ["sampling", "reservoir", "size"],
      "events of a connection share their randomness, so no sample of fixed size can be drawn of them",
      "set consistent to false, or size to 0",
    );
  }

  /** Samples go on unless their size changes. */
  apply({ sampling }: Config): void {
    const { size } = sampling.reservoir;
    if (size === this.#size) return;
    this.#size = size;
    this.#reservoirs = size === 0 ? undefined : new EventReservoirs(size);
  }

  write(batch: RecordBatch, schema: EventSchema): void {
    this.#reservoirs?.read(batch, schema);
  }

  /** Undefined where none is configured. */
  samples(): EventReservoir[] | undefined {
    return this.#reservoirs?.samples();
  }

  async flush(): Promise<void> {}
  async close(): Promise<void> {}
}

export const reservoirsPart: RunPartKind = {
  name: "reservoirs",
  create(running) {
    const part = new ReservoirsPart();
    running.addSink(part);
    return part;
  },
};

/** The samples of fixed size of a run; undefined where none is configured. */
export function reservoirsOf(running: Running): EventReservoir[] | undefined {
  return (running.part("reservoirs") as ReservoirsPart).samples();
}
