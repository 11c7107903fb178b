/**
 * What the log needs of a disk and a clock. Failures reject with an error that has a `code`
 * (`"ENOSPC"`), as Node's do.
 */

/** A folder that belongs to one log. */
export interface LogStorage {
  /** Names of the files in it. */
  list(): Promise<string[]>;
  /** A new file; rejects where the name exists. */
  create(name: string): Promise<LogFile>;
  open(name: string): Promise<LogFile>;
  /** Replaces `to` where it exists. */
  rename(from: string, to: string): Promise<void>;
  remove(name: string): Promise<void>;
  /** Makes names durable: what was created, renamed or removed. */
  syncFolder(): Promise<void>;
  /** Keeps other processes out until it is called; rejects where one is in. A process that died is not. */
  lock(): Promise<() => Promise<void>>;
}

export interface LogFile {
  /** Bytes in it when it was opened. */
  readonly size: number;
  /** Returns how many bytes were written: at least one, perhaps not all. */
  write(bytes: Uint8Array, at: number): Promise<number>;
  /** Returns how many bytes were read: 0 at the end. */
  read(into: Uint8Array, at: number): Promise<number>;
  /** Makes written bytes durable. After a rejection the file's contents are unknown. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

export interface LogClock {
  now_ms(): number;
  /** Calls `action` once, unless the returned function is called before. */
  after(delay_ms: number, action: () => void): () => void;
}

export async function writeAll(file: LogFile, bytes: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const written = await file.write(bytes.subarray(done), at + done);
    if (written <= 0) throw new Error("the disk takes no more bytes");
    done += written;
  }
}

/** Fewer bytes than asked for where the file ends. */
export async function readFully(file: LogFile, length: number, at: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const count = await file.read(bytes.subarray(done), at + done);
    if (count <= 0) break;
    done += count;
  }
  return bytes.subarray(0, done);
}
