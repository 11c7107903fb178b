/** One line on a terminal's standard error that is rewritten a few times a second. */
import { formatCount } from "../table.ts";

const INTERVAL_MS = 200;

export class Progress {
  readonly #enabled: boolean;
  #last_ms = 0;

  constructor(enabled: boolean) {
    this.#enabled = enabled;
  }

  update(records: number, span_s: number): void {
    if (!this.#enabled) return;
    const now_ms = performance.now();
    if (now_ms - this.#last_ms < INTERVAL_MS) return;
    this.#last_ms = now_ms;
    process.stderr.write(
      `\r${formatCount(records)} records, ${span_s.toFixed(1)} s of trace\x1b[K`,
    );
  }

  end(): void {
    if (this.#enabled) process.stderr.write("\r\x1b[K");
  }
}
