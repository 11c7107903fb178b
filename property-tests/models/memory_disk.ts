/**
 * A disk in memory that fails on demand, and loses on a crash whatever a real one may lose: any of the
 * writes that no sync covered, each perhaps in part, and any creation, renaming or removal since the
 * folder was synced. After a failed sync the writes that it should have covered are never safe again.
 */
import type { LogClock, LogFile, LogStorage } from "#core/batching/log/log_storage.ts";

interface Write {
  readonly at: number;
  readonly bytes: Uint8Array;
}

interface Node {
  /** As programs see it. */
  content: Uint8Array;
  /** As it is on the medium for certain. */
  safe: Uint8Array;
  /** Since the last sync. */
  writes: Write[];
  /** What a failed sync left in doubt. */
  doubtful: Write[];
}

export type DiskFault = "ENOSPC" | "EIO" | "EROFS" | "short";
export type DiskOperation =
  | "list"
  | "create"
  | "open"
  | "rename"
  | "remove"
  | "syncFolder"
  | "write"
  | "read"
  | "sync";
/** Changes of an operation's course; `count` numbers operations from 1. */
export type FaultPlan = (operation: DiskOperation, count: number) => DiskFault | undefined;

function put(content: Uint8Array, { at, bytes }: Write): Uint8Array {
  const end = at + bytes.length;
  const result = new Uint8Array(Math.max(content.length, end));
  result.set(content);
  result.set(bytes, at);
  return result;
}

function failure(code: string): Error {
  return Object.assign(new Error(`${code}: injected`), { code });
}

export class MemoryDisk implements LogStorage {
  operations = 0;
  plan: FaultPlan = () => undefined;
  /** No operation from this one on ever ends. */
  stopAt = Number.POSITIVE_INFINITY;
  #names = new Map<string, Node>();
  #safeNames = new Map<string, Node>();
  /** Names that changed since the folder was synced. */
  #changed = new Set<string>();
  #locked = false;

  async #step(operation: DiskOperation): Promise<DiskFault | undefined> {
    this.operations++;
    if (this.operations >= this.stopAt) await new Promise(() => {});
    const fault = this.plan(operation, this.operations);
    if (fault !== undefined && fault !== "short") throw failure(fault);
    return fault;
  }

  async list(): Promise<string[]> {
    await this.#step("list");
    return [...this.#names.keys()];
  }

  async create(name: string): Promise<LogFile> {
    await this.#step("create");
    if (this.#names.has(name)) throw failure("EEXIST");
    const node = { content: new Uint8Array(0), safe: new Uint8Array(0), writes: [], doubtful: [] };
    this.#names.set(name, node);
    this.#changed.add(name);
    return this.#file(node);
  }

  async open(name: string): Promise<LogFile> {
    await this.#step("open");
    const node = this.#names.get(name);
    if (node === undefined) throw failure("ENOENT");
    return this.#file(node);
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#step("rename");
    const node = this.#names.get(from);
    if (node === undefined) throw failure("ENOENT");
    this.#names.delete(from);
    this.#names.set(to, node);
    this.#changed.add(from).add(to);
  }

  async remove(name: string): Promise<void> {
    await this.#step("remove");
    if (!this.#names.delete(name)) throw failure("ENOENT");
    this.#changed.add(name);
  }

  async syncFolder(): Promise<void> {
    await this.#step("syncFolder");
    this.#safeNames = new Map(this.#names);
    this.#changed.clear();
  }

  async lock(): Promise<() => Promise<void>> {
    if (this.#locked) throw failure("EADDRINUSE");
    this.#locked = true;
    return async () => {
      this.#locked = false;
    };
  }

  #file(node: Node): LogFile {
    return {
      size: node.content.length,
      write: async (bytes, at) => {
        const fault = await this.#step("write").catch((error: unknown) => {
          // A disk that is full takes what still fits.
          this.#write(node, at, bytes.subarray(0, bytes.length >> 2));
          throw error;
        });
        const taken = fault === "short" ? bytes.subarray(0, Math.max(1, bytes.length >> 1)) : bytes;
        this.#write(node, at, taken);
        return taken.length;
      },
      read: async (into, at) => {
        await this.#step("read");
        const bytes = node.content.subarray(at, at + into.length);
        into.set(bytes);
        return bytes.length;
      },
      sync: async () => {
        await this.#step("sync").catch((error: unknown) => {
          node.doubtful.push(...node.writes.splice(0));
          throw error;
        });
        for (const write of node.writes.splice(0)) node.safe = put(node.safe, write);
      },
      close: async () => {},
    };
  }

  #write(node: Node, at: number, bytes: Uint8Array): void {
    const write = { at, bytes: bytes.slice() };
    node.content = put(node.content, write);
    node.writes.push(write);
  }

  /** The process died: all that was written is there. */
  killed(): void {
    this.#locked = false;
    this.stopAt = Number.POSITIVE_INFINITY;
  }

  /** Power failed; `choose(n)` is a number below n that decides what survives. */
  crashed(choose: (n: number) => number): void {
    this.killed();
    const names = new Map(this.#safeNames);
    for (const name of this.#changed) {
      if (choose(2) === 0) continue;
      const node = this.#names.get(name);
      if (node === undefined) names.delete(name);
      else names.set(name, node);
    }
    for (const node of new Set(names.values())) {
      for (const write of [...node.doubtful, ...node.writes]) {
        const length = [0, write.bytes.length, choose(write.bytes.length + 1)][choose(3)]!;
        if (length > 0)
          node.safe = put(node.safe, { at: write.at, bytes: write.bytes.subarray(0, length) });
      }
      Object.assign(node, { content: node.safe, writes: [], doubtful: [] });
    }
    this.#names = names;
    this.#safeNames = new Map(names);
    this.#changed.clear();
  }

  /** Names and contents, for damage. */
  files(): Map<string, Uint8Array> {
    return new Map([...this.#names].map(([name, { content }]) => [name, content]));
  }

  /** A disk that holds these files. */
  static of(files: ReadonlyMap<string, Uint8Array>): MemoryDisk {
    const disk = new MemoryDisk();
    for (const [name, bytes] of files) {
      const node = { content: bytes, safe: bytes, writes: [], doubtful: [] };
      disk.#names.set(name, node);
      disk.#safeNames.set(name, node);
    }
    return disk;
  }
}

/** Time that passes only when told to. */
export class ManualClock implements LogClock {
  #now_ms = 0;
  readonly #timers = new Set<{ readonly at_ms: number; readonly action: () => void }>();

  now_ms(): number {
    return this.#now_ms;
  }

  after(delay_ms: number, action: () => void): () => void {
    const timer = { at_ms: this.#now_ms + delay_ms, action };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  advance(delay_ms: number): void {
    this.#now_ms += delay_ms;
    for (const timer of [...this.#timers]) {
      if (timer.at_ms > this.#now_ms) continue;
      this.#timers.delete(timer);
      timer.action();
    }
  }
}
