/**
 * Batches in files of a folder, each finished at a size or an age. A file that is being written ends in `.open` and
 * gets its name when it is finished; one that a process left open is finished by the next.
 */
import { mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import type { BatchSink, EncodedBatch, SendResult } from "#core/batching/batch_sink.ts";
import { BpfError } from "#core/errors.ts";

export interface RotatingFileOptions {
  readonly folder: string;
  readonly format: "columnar" | "ndjson";
  readonly maxBytes: number;
  readonly maxAge_s: number;
  /** Finished files to keep of each collector; 0 keeps all. */
  readonly keep: number;
}

interface OpenFile {
  readonly handle: FileHandle;
  readonly path: string;
  readonly finalPath: string;
  readonly opened_ms: number;
  bytes: number;
}

const OPEN = ".open";
const EXTENSION = { columnar: "tapio", ndjson: "ndjson" } as const;

/** Wait that a full or broken disk is given before the batch is tried again. */
const DISK_RETRY_MS = 1000;

export class RotatingFileSink implements BatchSink {
  readonly name: string;
  readonly encoding: "columnar" | "ndjson";
  readonly maxInFlight = 1;
  readonly #options: RotatingFileOptions;
  readonly #files = new Map<string, OpenFile>();
  #number = 0;

  /** Throws `BpfError` where the folder cannot be used. */
  constructor(options: RotatingFileOptions) {
    this.name = `file:${options.folder}`;
    this.encoding = options.format;
    this.#options = options;
    try {
      mkdirSync(options.folder, { recursive: true });
      for (const name of readdirSync(options.folder).filter((each) => each.endsWith(OPEN))) {
        const path = join(options.folder, name);
        renameSync(path, path.slice(0, -OPEN.length));
      }
    } catch (cause) {
      throw new BpfError(`write to ${options.folder}`, (cause as Error).message, {
        hint: "give a folder that can be written",
        cause,
      });
    }
  }

  async send(batch: EncodedBatch): Promise<SendResult> {
    try {
      const file = await this.#fileFor(batch);
      const before = file.bytes;
      try {
        await file.handle.appendFile(batch.bytes);
        await file.handle.datasync();
        file.bytes += batch.bytes.length;
      } catch (error) {
        // What was written of it is cut off: the file stays readable, and the batch is sent whole again.
        await file.handle.truncate(before).catch(() => undefined);
        throw error;
      }
      if (file.bytes >= this.#options.maxBytes) await this.#finish(batch.collector);
      return { outcome: "accepted" };
    } catch (error) {
      const reason = `${this.#options.folder}: ${(error as Error).message}`;
      return { outcome: "retry_after", after_ms: DISK_RETRY_MS, reason };
    }
  }

  async #fileFor({ collector, schemaHeader }: EncodedBatch): Promise<OpenFile> {
    const known = this.#files.get(collector);
    const old = known !== undefined && Date.now() - known.opened_ms > this.#options.maxAge_s * 1000;
    if (old) await this.#finish(collector);
    if (known !== undefined && !old) return known;
    const time = new Date().toISOString().replaceAll(/[-:]/g, "").replace(/\..*/, "");
    const number = String(++this.#number).padStart(6, "0");
    const name = `${collector}-${time}-${process.pid}-${number}.${EXTENSION[this.encoding]}`;
    const finalPath = join(this.#options.folder, name);
    const path = `${finalPath}${OPEN}`;
    const handle = await open(path, "ax", 0o644);
    const header = this.encoding === "columnar" ? schemaHeader : new Uint8Array();
    await handle.appendFile(header);
    const file = { handle, path, finalPath, opened_ms: Date.now(), bytes: header.length };
    this.#files.set(collector, file);
    return file;
  }

  async #finish(collector: string): Promise<void> {
    const file = this.#files.get(collector);
    if (file === undefined) return;
    this.#files.delete(collector);
    await file.handle.datasync();
    await file.handle.close();
    renameSync(file.path, file.finalPath);
    this.#forget(collector);
  }

  #forget(collector: string): void {
    const { keep, folder } = this.#options;
    if (keep === 0) return;
    const finished = readdirSync(folder)
      .filter((name) => name.startsWith(`${collector}-`) && !name.endsWith(OPEN))
      .sort();
    for (const name of finished.slice(0, Math.max(0, finished.length - keep))) {
      rmSync(join(folder, name), { force: true });
    }
  }

  async close(): Promise<void> {
    for (const collector of [...this.#files.keys()]) await this.#finish(collector);
  }
}
