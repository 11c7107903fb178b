/**
 * The contract between everything above and the two backends below: the real kernel (libbpf) and
 * the simulated one (WebAssembly). The same compiled BPF object, the same calls, the same answers;
 * allowed differences stand in `property-tests/differences.ts`.
 *
 * Ownership: whoever opens, closes. `close()` twice is a no-op; any other use after close throws a
 * `BpfError` with errno EBADF. Bytes passed in are read during the call and never kept; bytes that
 * are filled belong to the caller.
 */

import type { Btf } from "./btf/btf.ts";

/** Numbers of `enum bpf_map_type`. */
export const MAP_TYPE = {
  hash: 1,
  array: 2,
  prog_array: 3,
  perf_event_array: 4,
  percpu_hash: 5,
  percpu_array: 6,
  stack_trace: 7,
  cgroup_array: 8,
  lru_hash: 9,
  lru_percpu_hash: 10,
  lpm_trie: 11,
  array_of_maps: 12,
  hash_of_maps: 13,
  cgroup_storage: 19,
  queue: 22,
  stack: 23,
  ringbuf: 27,
  task_storage: 29,
  bloom_filter: 30,
  cgrp_storage: 32,
} as const;

export type MapTypeName = keyof typeof MAP_TYPE;

/** Flags of map creation (`map_flags`). */
export const MAP_FLAG = {
  NO_PREALLOC: 1 << 0,
  NO_COMMON_LRU: 1 << 1,
  RDONLY: 1 << 3,
  WRONLY: 1 << 4,
  RDONLY_PROG: 1 << 7,
  WRONLY_PROG: 1 << 8,
  MMAPABLE: 1 << 10,
} as const;

/** Flags of an update. */
export const UPDATE = { ANY: 0, NOEXIST: 1, EXIST: 2, LOCK: 4 } as const;

/** A map as it is described, before or after it exists. */
export interface MapSpec {
  readonly name: string;
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
  /** BTF type ids of key and value in the object's BTF; 0 where the object does not say. */
  readonly keyTypeId?: number;
  readonly valueTypeId?: number;
  /** Template of the inner maps, for array_of_maps and hash_of_maps. */
  readonly inner?: MapSpec;
}

/**
 * A map, raw: keys and values are bytes.
 *
 * Values of per-CPU maps are `valueBytes` = round_up(valueSize, 8) × possible CPUs long, in CPU
 * order; those of other maps `valueSize`. Keys are `keySize` long (0 for queues, stacks, blooms).
 * A key or value of any other length is EINVAL, whatever the map would say to the operation.
 * A bloom filter's `lookup` reads the value to look for from `value`.
 * A failing operation throws `BpfError` with the kernel's errno; "no such key" is `false` where the
 * return type is boolean.
 */
export interface BpfMap {
  readonly spec: MapSpec;
  readonly name: string;
  /** Bytes of one value as user space copies it. */
  readonly valueBytes: number;
  /** What a map-in-map or a program takes as this map's value: a descriptor, u32. */
  readonly handle: number;

  lookup(key: Uint8Array, value: Uint8Array, flags?: number): boolean;
  update(key: Uint8Array, value: Uint8Array, flags?: number): void;
  delete(key: Uint8Array): boolean;
  /** Lookup and delete in one step; pop for queues and stacks. Hash maps: Linux 5.14. */
  lookupAndDelete(key: Uint8Array, value: Uint8Array): boolean;
  /** Writes the key after `key` (the first after null) and returns true, or false at the end. */
  nextKey(key: Uint8Array | null, next: Uint8Array): boolean;
  /**
   * Up to `count` entries after `cursor` (start with `null`); `cursor` is opaque. Returns the
   * number copied and the next cursor, null at the end. ENOSPC where a hash bucket holds more.
   */
  lookupBatch(
    cursor: Uint8Array | null,
    keys: Uint8Array,
    values: Uint8Array,
    count: number,
  ): { readonly count: number; readonly cursor: Uint8Array | null };
  /** Updates `count` entries, in order. An error carries how many were done in `processed`. */
  updateBatch(keys: Uint8Array, values: Uint8Array, count: number, flags?: number): void;
  /** Deletes `count` keys, in order; the first that is not there ends it (ENOENT, `processed`). */
  deleteBatch(keys: Uint8Array, count: number): number;
  /**
   * The map's values as memory shared with running programs (arrays created with MMAPABLE, global
   * data). Values lie round_up(valueSize, 8) apart. Views die with the map.
   */
  memory(): Uint8Array;
  /** Reads a ring-buffer map; EINVAL for any other type. One reader a map. */
  ring(): RingReader;
  /** Kernel memory of the map in bytes, as the kernel (or the runtime) accounts it. */
  memoryBytes(): number;
  close(): void;
}

/**
 * Committed records of a ring, in reservation order, without a copy: record i is
 * `buffer[offsets[i] .. offsets[i] + lengths[i])`. Arrays are reused: valid during the handler only.
 */
export interface RecordBatch {
  readonly buffer: Uint8Array;
  readonly view: DataView;
  readonly offsets: Uint32Array;
  readonly lengths: Uint32Array;
  readonly count: number;
}

export type RecordBatchHandler = (batch: RecordBatch) => void;

/** The one reader of a ring. Not consuming is how back-pressure is applied. */
export interface RingReader {
  readonly sizeBytes: number;
  /**
   * Hands committed records to `handler`, at most `maxRecords` in all, in one or more batches, and
   * frees their space once the handler returned (a handler that throws frees nothing of its batch).
   * Returns the number of records handed over.
   */
  consume(handler: RecordBatchHandler, maxRecords?: number): number;
  /** Bytes between consumer and producer position, discarded and uncommitted records included. */
  availableBytes(): number;
  /** Resolves true when a program signalled data, at once while some of that is unread; false after `timeout_ms`. */
  wait(timeout_ms: number): Promise<boolean>;
  close(): void;
}

/** What a program is and how it attaches, read off its ELF section name. */
export type ProgramKind =
  | "tracepoint"
  | "raw_tracepoint"
  | "tp_btf"
  | "kprobe"
  | "kretprobe"
  | "fentry"
  | "fexit"
  | "uprobe"
  | "uretprobe"
  | "usdt"
  | "xdp"
  | "tc"
  | "cgroup"
  | "perf_event"
  | "iter"
  | "socket"
  | "syscall"
  | "other";

export interface RunOptions {
  /** CPU to run on; kernel: raw_tracepoint programs only (Linux 5.10). */
  readonly cpu?: number;
  /** Runs in a row; default 1, and 0 means 1. */
  readonly repeat?: number;
}

export interface RunResult {
  /** Low 32 bits of r0, unsigned. */
  readonly returnValue: number;
  /** Average of one run: real on the kernel, virtual time in wasm. */
  readonly duration_ns: number;
}

/** `bpf_prog_info`, as far as both backends know it. */
export interface ProgramInfo {
  readonly id: number;
  readonly instructions: number;
  readonly runCount: number;
  readonly runTime_ns: number;
  /** Runs skipped because the program was already running on that CPU. Linux 5.12. */
  readonly recursionMisses: number;
  /** Instructions the verifier visited; 0 where unknown. Linux 5.16. */
  readonly verifiedInstructions: number;
  readonly memoryBytes: number;
}

export interface Link {
  /** What it is attached to (`"tracepoint sock:inet_sock_set_state"`). */
  readonly description: string;
  close(): void;
}

export interface Program {
  readonly name: string;
  /** ELF section (`"tp/sock/inet_sock_set_state"`). */
  readonly section: string;
  readonly kind: ProgramKind;
  /** What a prog array takes as this program's value: a descriptor, u32. */
  readonly handle: number;
  /** Attaches to what the section says. */
  attach(): Link;
  /** One run with this context (`BPF_PROG_TEST_RUN` on the kernel). The context may be changed. */
  run(context: Uint8Array, options?: RunOptions): RunResult;
  info(): ProgramInfo;
}

export interface OpenOptions {
  /** Name of the object in messages; default the file's or `"object"`. */
  readonly name?: string;
  /** Values of `const volatile` globals, by variable name; numbers are encoded by the variable's BTF. */
  readonly constants?: Readonly<Record<string, number | bigint | Uint8Array>>;
  /** Overrides of map sizes, by map name. */
  readonly maxEntries?: Readonly<Record<string, number>>;
  /** Programs to load, by name; default all. */
  readonly programs?: readonly string[];
}

/** An opened object. `load()` creates maps and programs; before it, programs cannot run. */
export interface BpfObject {
  readonly name: string;
  readonly btf: Btf;
  readonly programs: ReadonlyMap<string, Program>;
  readonly maps: ReadonlyMap<string, BpfMap>;
  load(): void;
  close(): void;
}

export interface Backend {
  readonly kind: "wasm" | "kernel";
  /** What executes BPF: `"ubpf"`, `"aot"` or `"jit"`. */
  readonly engine: string;
  /** Possible CPUs: the number of values in a per-CPU map's value. */
  readonly cpus: number;
  /** Parses an object. Throws `BpfError` on anything malformed; nothing is left behind. */
  open(object: Uint8Array, options?: OpenOptions): BpfObject;
  /** Creates a map that belongs to no object. */
  createMap(spec: MapSpec): BpfMap;
  /** CLOCK_MONOTONIC of the backend: real, or the virtual clock. */
  now_ns(): bigint;
  close(): void;
}
