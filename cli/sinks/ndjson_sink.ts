/** Writes every delivered event as one line of JSON to a file, or to standard output for `-`. */
import { closeSync, constants, fsyncSync, ftruncateSync, openSync, writeSync } from "node:fs";
import type { RecordBatch } from "#core/backend.ts";
import { BpfError } from "#core/errors.ts";
import { eventObject } from "#core/events/event_json.ts";
import type { EventSchema } from "#core/events/event_schema.ts";
import type { Sink } from "#core/pipeline/sink.ts";

const PAUSE = new Int32Array(new SharedArrayBuffer(4));
const PAUSE_MS = 1;

export class NdjsonSink implements Sink {
  readonly name: string;
  readonly #path: string;
  #file: number | undefined;
  #emptied: boolean;

  /**
   * Throws `BpfError` where the file cannot be written. What it holds goes with the first `write` or
   * `flush`, so that a run that never starts destroys nothing.
   */
  constructor(path: string) {
    this.name = `ndjson:${path}`;
    this.#path = path;
    this.#emptied = path === "-";
    try {
      this.#file = path === "-" ? 1 : openSync(path, constants.O_WRONLY | constants.O_CREAT, 0o666);
    } catch (cause) {
      throw this.#failure("open", cause);
    }
  }

  write(batch: RecordBatch, schema: EventSchema): void {
    if (this.#file === undefined) throw new BpfError(this.name, "is closed");
    this.#empty(this.#file);
    let text = "";
    for (let i = 0; i < batch.count; i++) {
      const event = eventObject(batch, i, schema);
      if (event !== undefined) text += `${JSON.stringify(event)}\n`;
    }
    this.#writeAll(Buffer.from(text));
  }

  #empty(file: number): void {
    if (this.#emptied) return;
    this.#emptied = true;
    try {
      ftruncateSync(file);
    } catch (cause) {
      // A pipe or a device has nothing to cut.
      if ((cause as NodeJS.ErrnoException).code !== "EINVAL") throw this.#failure("empty", cause);
    }
  }

  #writeAll(bytes: Buffer): void {
    for (let written = 0; written < bytes.length; ) {
      try {
        written += writeSync(this.#file!, bytes, written);
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code !== "EAGAIN") throw this.#failure("write", cause);
        // Standard output may be a pipe that does not block, and its reader be slow.
        Atomics.wait(PAUSE, 0, 0, PAUSE_MS);
      }
    }
  }

  async flush(): Promise<void> {
    if (this.#file === undefined || this.#file === 1) return;
    this.#empty(this.#file);
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
