/**
 * Worker threads that encode batches. Records stay where they gathered, in memory that the threads share; encoded bytes are
 * handed over without a copy. A thread that ends is not replaced: the main thread encodes what the others don't.
 */
import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import type { RecordBatch } from "#core/backend.ts";
import type { BatchEncoding } from "#core/batching/batch_sink.ts";
import type { EncoderPool } from "#core/batching/encoder_pool.ts";
import type { EncodedRecords } from "#core/batching/encoding/record_encoder.ts";
import type { EventSchema } from "#core/events/event_schema.ts";
import type { EncoderAnswer, EncoderJob, EncoderThreadData } from "./encoder_thread.ts";

/** The same file from the sources and from the build. */
const THREAD = new URL(`encoder_thread${extname(import.meta.url)}`, import.meta.url);
/**
 * Of each kind: one that is worked on and one that waits, so that a thread has always something to do. What a log
 * keeps, however much that is, so never holds up batches that come.
 */
const JOBS_OF_A_KIND = 2;
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

type JobKind = EncoderJob["task"]["kind"];

interface Job {
  readonly kind: JobKind;
  readonly resolve: (encoded: readonly EncodedRecords[]) => void;
  readonly reject: (error: Error) => void;
}

interface Thread {
  readonly worker: Worker;
  readonly jobs: Map<number, Job>;
  readonly underway: Record<JobKind, number>;
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
    return this.#leastBusy("encode") !== undefined || !this.#threads.some(({ ready }) => ready);
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
    const { kind } = task;
    const thread = this.#leastBusy(kind);
    if (thread === undefined) return undefined;
    const id = this.#jobs++;
    const unixOffset_ns = this.#options.unixOffset_ns();
    thread.worker.postMessage({ id, unixOffset_ns, task } satisfies EncoderJob);
    thread.underway[kind] += 1;
    return new Promise((resolve, reject) => thread.jobs.set(id, { kind, resolve, reject }));
  }

  /** Of those that take another job of the kind. */
  #leastBusy(kind: JobKind): Thread | undefined {
    let best: Thread | undefined;
    for (const thread of this.#threads) {
      if (!thread.ready || thread.underway[kind] === JOBS_OF_A_KIND) continue;
      if (best === undefined || thread.jobs.size < best.jobs.size) best = thread;
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
      const underway = { encode: 0, convert: 0 };
      const thread: Thread = { worker, jobs: new Map(), underway, ready: false };
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
    thread.underway[job.kind] -= 1;
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
