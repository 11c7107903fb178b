/**
 * Worker threads that encode batches. Records stay where they gathered, in memory that the threads share; encoded bytes are
 * handed over without a copy. A thread that ends is not replaced: the main thread encodes what the others don't.
 */
import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import type { RecordBatch } from "#core/backend.ts";
import type { EncoderPool } from "#core/batching/batch_encoder.ts";
import type { BatchEncoding } from "#core/batching/batch_sink.ts";
import type { EncodedRecords } from "#core/batching/encoding/record_encoder.ts";
import type { EventSchema } from "#core/events/event_schema.ts";
import type { EncoderAnswer, EncoderJob, EncoderThreadData } from "./encoder_thread.ts";

/** The same file from the sources and from the build. */
const THREAD = new URL(`encoder_thread${extname(import.meta.url)}`, import.meta.url);
/** One that is encoded and one that waits, so that a thread has always something to do. */
const JOBS_OF_A_THREAD = 2;
/** Encoding so many here takes about as long as a thread takes to start. */
const EVENTS_BEFORE_START = 100_000;

export interface EncoderThreadsOptions {
  readonly threads: number;
  readonly schemas: EncoderThreadData;
  /** From the clock of events to Unix time. */
  readonly unixOffset_ns: () => bigint;
  /** Told of what went wrong in a thread, in one line. */
  readonly problem: (text: string) => void;
  /** Events that the main thread encodes before threads are worth it. */
  readonly eventsBeforeStart?: number;
}

interface Job {
  readonly resolve: (encoded: readonly EncodedRecords[]) => void;
  readonly reject: (error: Error) => void;
}

interface Thread {
  readonly worker: Worker;
  readonly jobs: Map<number, Job>;
  ready: boolean;
}

export class EncoderThreads implements EncoderPool {
  readonly #options: EncoderThreadsOptions;
  #eventsBeforeStart: number;
  #threads: Thread[] = [];
  #jobs = 0;
  #failed = false;
  #closed = false;

  constructor(options: EncoderThreadsOptions) {
    this.#options = options;
    this.#eventsBeforeStart = options.eventsBeforeStart ?? EVENTS_BEFORE_START;
  }

  allocate(bytes: number): SharedArrayBuffer {
    return new SharedArrayBuffer(bytes);
  }

  get idle(): boolean {
    return this.#leastBusy() !== undefined || !this.#threads.some(({ ready }) => ready);
  }

  encode(
    { collector }: EventSchema,
    encodings: readonly BatchEncoding[],
    { buffer, offsets, lengths, count }: RecordBatch,
  ): Promise<readonly EncodedRecords[]> | undefined {
    if (this.#eventsBeforeStart > 0) {
      this.#eventsBeforeStart -= count;
      if (this.#eventsBeforeStart <= 0) this.#start();
    }
    const names = { collector: collector.name, encodings };
    return this.#post({ kind: "encode", ...names, buffer, offsets, lengths, count });
  }

  convert(
    { collector }: EventSchema,
    columnar: Uint8Array,
    encoding: BatchEncoding,
  ): Promise<Uint8Array> | undefined {
    const task = { kind: "convert", collector: collector.name, columnar, encoding } as const;
    return this.#post(task)?.then(([converted]) => converted!.bytes);
  }

  /** Undefined where no thread is free. */
  #post(task: EncoderJob["task"]): Promise<readonly EncodedRecords[]> | undefined {
    const thread = this.#leastBusy();
    if (thread === undefined) return undefined;
    const id = this.#jobs++;
    const unixOffset_ns = this.#options.unixOffset_ns();
    thread.worker.postMessage({ id, unixOffset_ns, task } satisfies EncoderJob);
    return new Promise((resolve, reject) => thread.jobs.set(id, { resolve, reject }));
  }

  #leastBusy(): Thread | undefined {
    let best: Thread | undefined;
    for (const thread of this.#threads) {
      const free = thread.ready && thread.jobs.size < JOBS_OF_A_THREAD;
      if (free && thread.jobs.size < (best?.jobs.size ?? JOBS_OF_A_THREAD)) best = thread;
    }
    return best;
  }

  #start(): void {
    if (this.#closed) return;
    for (let i = 0; i < this.#options.threads; i++) {
      const worker = new Worker(THREAD, {
        name: `encoder ${i}`,
        workerData: this.#options.schemas,
      });
      worker.unref();
      const thread: Thread = { worker, jobs: new Map(), ready: false };
      worker.on("message", (answer: EncoderAnswer) => this.#answered(thread, answer));
      worker.on("error", (error) => this.#ended(thread, String(error)));
      worker.on("exit", (code) => this.#ended(thread, `exit code ${code}`));
      this.#threads.push(thread);
    }
  }

  #answered(thread: Thread, answer: EncoderAnswer): void {
    if (answer.kind === "ready") {
      thread.ready = true;
      return;
    }
    // A thread that fails may have answered before; its batches are somebody else's by now.
    const job = thread.jobs.get(answer.id);
    if (job === undefined) return;
    thread.jobs.delete(answer.id);
    if (answer.kind === "encoded") {
      job.resolve(answer.encoded);
      return;
    }
    this.#failedAt(answer.problem);
    job.reject(new Error(answer.problem));
  }

  /** Told once: it would be the same for every batch. */
  #failedAt(reason: string): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#options.problem(`a thread could not encode a batch (${reason}); the main thread does`);
  }

  /** Comes twice for a thread that failed. */
  #ended(thread: Thread, reason: string): void {
    if (!this.#threads.includes(thread)) return;
    this.#threads = this.#threads.filter((each) => each !== thread);
    if (!this.#closed) {
      this.#options.problem(`a thread that encodes batches ended (${reason}); the run goes on`);
    }
    for (const { reject } of thread.jobs.values()) reject(new Error(reason));
    thread.jobs.clear();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()));
  }
}
