/** Appends that wait for the disk, or for room. */
import type { AppendResult } from "./batch_log.ts";
import { RECORD_HEADER_BYTES } from "./segment_format.ts";

export interface AppendRequest {
  readonly payload: Uint8Array;
  readonly count: number;
  readonly resolve: (result: AppendResult) => void;
  readonly aborted: () => boolean;
}

export class AppendQueue {
  #requests: AppendRequest[] = [];

  get length(): number {
    return this.#requests.length;
  }

  get first(): AppendRequest | undefined {
    return this.#requests[0];
  }

  shift(): AppendRequest | undefined {
    return this.#requests.shift();
  }

  /** `onAbort`: the request wants to be taken out. */
  push(
    payload: Uint8Array,
    count: number,
    signal: AbortSignal | undefined,
    onAbort: () => void,
  ): Promise<AppendResult> {
    return new Promise((done) => {
      const resolve = (result: AppendResult): void => {
        signal?.removeEventListener("abort", onAbort);
        done(result);
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#requests.push({ payload, count, resolve, aborted: () => signal?.aborted === true });
    });
  }

  takeAborted(): AppendRequest[] {
    const aborted = this.#requests.filter((request) => request.aborted());
    if (aborted.length > 0)
      this.#requests = this.#requests.filter((each) => !aborted.includes(each));
    return aborted;
  }

  /** The first and as many more as fit into `bytes`; they stay in the queue. */
  chunk(bytes: number): AppendRequest[] {
    let left = bytes;
    let count = 0;
    for (const { payload } of this.#requests) {
      left -= RECORD_HEADER_BYTES + payload.length;
      if (left < 0 && count > 0) break;
      count++;
    }
    return this.#requests.slice(0, count);
  }
}
