/** What this process holds while it reads a file: threads and descriptors. */
import { readdirSync, readlinkSync } from "node:fs";
import type { Worker } from "node:worker_threads";
import { expect } from "vitest";
import { endRestingThread } from "#cli/trace/reading_thread.ts";

/** Threads that were started since. */
export class StartedThreads {
  readonly #workers: Worker[] = [];

  constructor() {
    process.on("worker", this.#started);
  }

  get count(): number {
    return this.#workers.length;
  }

  get running(): number {
    return this.#workers.filter(({ threadId }) => threadId >= 0).length;
  }

  /** Forgets them all, and takes no notice of others. */
  stop(): void {
    process.off("worker", this.#started);
    this.#workers.length = 0;
  }

  readonly #started = (worker: Worker): void => {
    this.#workers.push(worker);
  };
}

/** Descriptors of files whose path starts with `path`. */
export function openDescriptors(path: string): number {
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(path);
    } catch {
      return false; // closed in between: the listing's own descriptor
    }
  }).length;
}

/** No file in `directory` is open, and no more than one thread is left, which rests; ends that one. */
export async function expectNothingHeld(directory: string, threads: StartedThreads): Promise<void> {
  expect(openDescriptors(directory)).toBe(0);
  await endRestingThread();
  await expect.poll(() => threads.running).toBe(0);
}
