/** Holds a source back so that its time passes at a given multiple of real time. */
import { setTimeout as sleep } from "node:timers/promises";

export class Pacer {
  readonly #pace: number;
  #origin: { readonly source_ns: bigint; readonly real_ms: number } | undefined;

  /** `pace`: seconds of the source in a second of real time, above 0. */
  constructor(pace: number) {
    this.#pace = pace;
  }

  /** Resolves when `time_ns` of the source has come, or when `signal` ends the wait. */
  async until(time_ns: bigint, signal: AbortSignal): Promise<void> {
    this.#origin ??= { source_ns: time_ns, real_ms: performance.now() };
    const source_ms = Number(time_ns - this.#origin.source_ns) / 1e6;
    const wait_ms = this.#origin.real_ms + source_ms / this.#pace - performance.now();
    if (wait_ms < 1 || signal.aborted) return;
    // Ended by the signal: whoever waits looks at it next.
    await sleep(wait_ms, undefined, { signal }).catch(() => undefined);
  }
}
