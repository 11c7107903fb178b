/** Writes every delivered event as one line of JSON to a file, or to standard output for `-`. */
import { closeSync, fsyncSync, openSync, writeSync } from "node:fs";
import type { RecordBatch } from "#core/backend.ts";
import { BpfError } from "#core/errors.ts";
import { eventObject } from "#core/events/event_json.ts";
import type { EventSchema } from "#core/events/event_schema.ts";
import type { Sink } from "#core/pipeline/sink.ts";

export class NdjsonSink implements Sink {
  readonly name: string;
  readonly #path: string;
  #file: number | undefined;

  /** Truncates an existing file. Throws `BpfError` where it cannot be written. */
  constructor(path: string) {
    this.name = `ndjson:${path}`;
    this.#path = path;
    try {
      this.#file = path === "-" ? 1 : openSync(path, "w");
    } catch (cause) {
      throw this.#failure("open", cause);
    }
  }

  write(batch: RecordBatch, schema: EventSchema): void {
    if (this.#file === undefined) throw new BpfError(this.name, "is closed");
    let text = "";
    for (let i = 0; i < batch.count; i++) {
      const event = eventObject(batch, i, schema);
      if (event !== undefined) text += `${JSON.stringify(event)}\n`;
    }
    this.#writeAll(Buffer.from(text));
  }

  #writeAll(bytes: Buffer): void {
    let written = 0;
    try {
      while (written < bytes.length) written += writeSync(this.#file!, bytes, written);
    } catch (cause) {
      throw this.#failure("write", cause);
    }
  }

  async flush(): Promise<void> {
    if (this.#file === undefined || this.#file === 1) return;
    try {
      fsyncSync(this.#file);
    } catch (cause) {
      // A pipe or a device has nothing to sync.
      if ((cause as NodeJS.ErrnoException).code !== "EINVAL") throw this.#failure("sync", cause);
    }
  }

  async close(): Promise<void> {
    if (this.#file === undefined) return;
    const file = this.#file;
    this.#file = undefined;
    if (file !== 1) closeSync(file);
  }

  #failure(action: string, cause: unknown): BpfError {
    return new BpfError(`${action} ${this.#path}`, (cause as Error).message, {
      hint: "check that the folder exists, is writable and has room",
      cause,
    });
  }
}
