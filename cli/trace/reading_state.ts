/**
 * Which file a thread reads, in memory that both threads see: one says where to begin and when to stop, the other
 * one does so and says when it has.
 */

const WORD = { state: 0, file: 1, sequence: 2, offset: 4 } as const;
/** Bytes of the memory that are taken up. */
export const READING_STATE_BYTES = 24;

const STATE = {
  /** The thread is not up yet. */
  starting: 0,
  /** The thread waits, and touches no file. */
  ready: 1,
  reading: 2,
  /** As `reading`, but it is to end soon. */
  stopping: 3,
  /** There is no thread any more. */
  gone: 4,
} as const;

/** Where to begin: at a byte of an open file where the block of that number starts. */
export interface ReadingOrder {
  readonly file: number;
  readonly offset: number;
  readonly sequence: number;
}

export class ReadingState {
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #view: DataView;

  /** `start`: where in the memory, at a multiple of 8. */
  constructor(memory: SharedArrayBuffer, start: number) {
    this.#words = new Int32Array(memory, start, READING_STATE_BYTES / 4);
    this.#view = new DataView(memory, start, READING_STATE_BYTES);
  }

  get #state(): number {
    return Atomics.load(this.#words, WORD.state);
  }

  /** Whether the thread is up and waits for `begin`. */
  get ready(): boolean {
    return this.#state === STATE.ready;
  }

  get stopping(): boolean {
    return this.#state === STATE.stopping;
  }

  get gone(): boolean {
    return this.#state === STATE.gone;
  }

  /** Lets a thread that reads nothing begin; one that is not up yet, as soon as it is. */
  begin({ file, offset, sequence }: ReadingOrder): void {
    this.#words[WORD.file] = file;
    this.#words[WORD.sequence] = sequence;
    this.#view.setFloat64(4 * WORD.offset, offset, true);
    if (!this.#change(STATE.starting, STATE.reading)) this.#change(STATE.ready, STATE.reading);
  }

  /** Asks the thread to read no more; `stopped` says when. */
  stop(): void {
    this.#change(STATE.reading, STATE.stopping);
  }

  /** Resolves when the thread touches no file, or is gone. */
  async stopped(): Promise<void> {
    for (let state = this.#state; ; state = this.#state) {
      if (state !== STATE.reading && state !== STATE.stopping) return;
      const waiting = Atomics.waitAsync(this.#words, WORD.state, state);
      if (waiting.async) await waiting.value;
    }
  }

  /** There is no thread any more. */
  abandon(): void {
    Atomics.store(this.#words, WORD.state, STATE.gone);
    Atomics.notify(this.#words, WORD.state);
  }

  /** For the thread: sleeps until it is to begin. */
  order(): ReadingOrder {
    for (let state = this.#state; state !== STATE.reading; state = this.#state) {
      if (state === STATE.ready) Atomics.wait(this.#words, WORD.state, STATE.ready);
      else this.#change(state, STATE.ready);
    }
    return {
      file: this.#words[WORD.file]!,
      sequence: this.#words[WORD.sequence]!,
      offset: this.#view.getFloat64(4 * WORD.offset, true),
    };
  }

  /** For the thread: it has read the file as far as it was to. */
  done(): void {
    Atomics.store(this.#words, WORD.state, STATE.ready);
    Atomics.notify(this.#words, WORD.state);
  }

  #change(from: number, to: number): boolean {
    if (Atomics.compareExchange(this.#words, WORD.state, from, to) !== from) return false;
    Atomics.notify(this.#words, WORD.state);
    return true;
  }
}
