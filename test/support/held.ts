/** What this process holds while it reads a file: threads and descriptors. */
import { mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Worker } from "node:worker_threads";
import { afterEach, beforeEach, expect } from "vitest";
import { endRestingThread } from "#cli/trace/reading_thread.ts";

/** Threads that were started since `start`. */
export class StartedThreads {
  readonly #workers: Worker[] = [];

  start(): void {
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

/** A folder for traces, empty before every test, and the threads that each test starts. */
export function useTraceFolder(prefix: string) {
  const directory = mkdtempSync(join(tmpdir(), prefix));
  const threads = new StartedThreads();
  beforeEach(() => {
    mkdirSync(directory, { recursive: true });
    threads.start();
  });
  afterEach(async () => {
    await endRestingThread();
    threads.stop();
    rmSync(directory, { recursive: true });
  });
  return { directory, path: join(directory, "a.trace"), threads };
}
