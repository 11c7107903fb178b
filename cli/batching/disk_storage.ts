/** A log's folder on the real disk. */
import { type FileHandle, mkdir, open, readdir, rename, unlink } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { LogClock, LogFile, LogStorage } from "#core/batching/log/log_storage.ts";
import { lockFolder } from "./folder_lock.ts";

class DiskFile implements LogFile {
  readonly size: number;
  readonly #handle: FileHandle;

  constructor(handle: FileHandle, size: number) {
    this.#handle = handle;
    this.size = size;
  }

  async write(bytes: Uint8Array, at: number): Promise<number> {
    return (await this.#handle.write(bytes, 0, bytes.length, at)).bytesWritten;
  }

  async read(into: Uint8Array, at: number): Promise<number> {
    return (await this.#handle.read(into, 0, into.length, at)).bytesRead;
  }

  sync(): Promise<void> {
    return this.#handle.datasync();
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

async function syncPath(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes the folder, durably, where it is missing. Rejects where that fails. */
export async function openDiskStorage(folder: string): Promise<LogStorage> {
  const first = await mkdir(folder, { recursive: true, mode: 0o700 });
  if (first !== undefined) await syncPath(dirname(resolve(first)));
  return {
    list: () => readdir(folder),
    create: async (name) => new DiskFile(await open(join(folder, name), "wx+", 0o600), 0),
    open: async (name) => {
      const handle = await open(join(folder, name), "r");
      return new DiskFile(handle, (await handle.stat()).size);
    },
    rename: (from, to) => rename(join(folder, from), join(folder, to)),
    remove: (name) => unlink(join(folder, name)),
    syncFolder: () => syncPath(folder),
    lock: () => lockFolder(folder),
  };
}

/** Its timers do not keep Node running: the log's owner closes it. */
export const LOG_CLOCK: LogClock = {
  now_ms: () => performance.now(),
  after(delay_ms, action) {
    const timer = setTimeout(action, delay_ms).unref();
    return () => clearTimeout(timer);
  },
};
