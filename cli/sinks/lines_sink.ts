/** Batches of JSON lines appended to one file, or to standard output. */
import { type FileHandle, open } from "node:fs/promises";
import type { BatchSink, EncodedBatch, SendResult } from "#core/batching/batch_sink.ts";

const RETRY_MS = 1000;

export class LinesSink implements BatchSink {
  readonly name: string;
  readonly encoding = "ndjson";
  readonly maxInFlight = 1;
  readonly #path: string | undefined;
  #file: FileHandle | undefined;

  /** Without a path: standard output. */
  constructor(path?: string) {
    this.name = path === undefined ? "stdout" : `ndjson:${path}`;
    this.#path = path;
  }

  async send({ bytes }: EncodedBatch): Promise<SendResult> {
    try {
      if (this.#path === undefined) await writeToStandardOutput(bytes);
      else await this.#append(this.#path, bytes);
      return { outcome: "accepted" };
    } catch (error) {
      const reason = `${this.name}: ${(error as Error).message}`;
      return { outcome: "retry_after", after_ms: RETRY_MS, reason };
    }
  }

  async #append(path: string, bytes: Uint8Array): Promise<void> {
    this.#file ??= await open(path, "a", 0o644);
    const before = (await this.#file.stat()).size;
    try {
      await this.#file.appendFile(bytes);
      await this.#file.datasync();
    } catch (error) {
      await this.#file.truncate(before).catch(() => undefined);
      throw error;
    }
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }
}

function writeToStandardOutput(bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
}
