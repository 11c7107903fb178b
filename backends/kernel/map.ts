/** A map of the kernel as the backends' contract wants it. */
import { readFileSync } from "node:fs";
import { type BpfMap, MAP_TYPE, type MapSpec, type RingReader } from "#core/backend.ts";
import { BpfError, ERRNO } from "#core/errors.ts";
import { closedError, lengthError, mapError, mapTypeName } from "#wasm/map_errors.ts";
import type { Addon, NativeMapping } from "./addon.ts";
import { MapBatches } from "./map_batch.ts";
import { pinDescriptor } from "./pin.ts";
import { openRing } from "./ring.ts";

const PERCPU_CGROUP_STORAGE = 21;
const PER_CPU: ReadonlySet<number> = new Set([
  MAP_TYPE.percpu_hash,
  MAP_TYPE.percpu_array,
  MAP_TYPE.lru_percpu_hash,
  PERCPU_CGROUP_STORAGE,
]);

const roundUp8 = (bytes: number): number => Math.ceil(bytes / 8) * 8;

/** Whoever owns the map's descriptor. */
export interface MapDescriptor {
  number(): number;
  close(): void;
}

export class KernelMap implements BpfMap {
  readonly spec: MapSpec;
  readonly valueBytes: number;
  readonly #addon: Addon;
  readonly #descriptor: MapDescriptor;
  readonly #fd: number;
  readonly #batches: MapBatches;
  #mapping: NativeMapping | undefined;
  #memory: Uint8Array | undefined;
  #ring: RingReader | undefined;
  #open = true;
  /** Called once, when the map closes. */
  onClose: () => void = () => {};

  /** Takes over `descriptor`. */
  constructor(addon: Addon, spec: MapSpec, descriptor: MapDescriptor, cpus: number) {
    this.spec = spec;
    this.valueBytes = PER_CPU.has(spec.type) ? roundUp8(spec.valueSize) * cpus : spec.valueSize;
    this.#addon = addon;
    this.#descriptor = descriptor;
    this.#fd = descriptor.number();
    this.#batches = new MapBatches(addon, spec, this.#fd, this.valueBytes);
  }

  get name(): string {
    return this.spec.name;
  }

  get handle(): number {
    this.#checkOpen("use");
    return this.#fd;
  }

  lookup(key: Uint8Array, value: Uint8Array, flags = 0): boolean {
    this.#check("look up", key, value, flags);
    return this.#found("look up", this.#addon.mapLookup(this.#fd, key, value, flags));
  }

  update(key: Uint8Array, value: Uint8Array, flags = 0): void {
    this.#check("update", key, value, flags);
    const status = this.#addon.mapUpdate(this.#fd, key, value, flags);
    if (status !== 0) throw mapError("update", this.spec, status);
  }

  delete(key: Uint8Array): boolean {
    this.#check("delete from", key);
    return this.#found("delete from", this.#addon.mapDelete(this.#fd, key));
  }

  lookupAndDelete(key: Uint8Array, value: Uint8Array): boolean {
    this.#check("look up and delete from", key, value);
    return this.#found("look up and delete from", this.#addon.mapTake(this.#fd, key, value));
  }

  nextKey(key: Uint8Array | null, next: Uint8Array): boolean {
    this.#checkOpen("iterate");
    if (key !== null) this.#checkLength("iterate", "the key", key, this.spec.keySize);
    this.#checkLength("iterate", "the next key", next, this.spec.keySize);
    return this.#found("iterate", this.#addon.mapNextKey(this.#fd, key, next));
  }

  lookupBatch(
    cursor: Uint8Array | null,
    keys: Uint8Array,
    values: Uint8Array,
    count: number,
  ): { readonly count: number; readonly cursor: Uint8Array | null } {
    this.#checkOpen("look up a batch in");
    return this.#batches.lookup(cursor, keys, values, count);
  }

  updateBatch(keys: Uint8Array, values: Uint8Array, count: number, flags = 0): void {
    this.#checkOpen("update a batch in");
    this.#batches.update(keys, values, count, flags);
  }

  deleteBatch(keys: Uint8Array, count: number): number {
    this.#checkOpen("delete a batch from");
    return this.#batches.delete(keys, count);
  }

  /**
   * As the contract says. Global data that the kernel has frozen (`.rodata`) cannot change any more:
   * of it the caller gets a copy, which may be written to without effect.
   */
  memory(): Uint8Array {
    this.#checkOpen("share memory of");
    this.#memory ??= this.#mapMemory();
    return this.#memory;
  }

  #mapMemory(): Uint8Array {
    const size = roundUp8(this.spec.valueSize) * this.spec.maxEntries;
    const mapping = this.#addon.mapMemory(this.#fd, size);
    if (typeof mapping !== "number") {
      this.#mapping = mapping;
      return new Uint8Array(mapping.buffer());
    }
    if (mapping === -ERRNO.EPERM && this.spec.maxEntries === 1) return this.#copyOfValue(size);
    throw new BpfError(`share memory of map ${this.name}`, "it was not created MMAPABLE", {
      errno: -mapping,
      hint: "create an array with the flag MMAPABLE",
    });
  }

  #copyOfValue(size: number): Uint8Array {
    const copy = new Uint8Array(size);
    this.lookup(new Uint8Array(this.spec.keySize), copy.subarray(0, this.valueBytes));
    return copy;
  }

  ring(): RingReader {
    this.#checkOpen("read");
    if (this.spec.type !== MAP_TYPE.ringbuf) {
      throw new BpfError(`read map ${this.name}`, `it is a ${mapTypeName(this.spec.type)} map`, {
        errno: ERRNO.EINVAL,
        hint: "only ring buffers can be read as a ring",
      });
    }
    this.#ring ??= openRing(this.#addon, this.name, this.#fd, this.spec.maxEntries);
    return this.#ring;
  }

  memoryBytes(): number {
    this.#checkOpen("measure");
    return descriptorMemory(this.#fd);
  }

  /** User space may no longer write; programs still can. Throws EBUSY the second time. */
  freeze(): void {
    this.#checkOpen("freeze");
    const status = this.#addon.mapFreeze(this.#fd);
    if (status < 0) throw mapError("freeze", this.spec, status);
  }

  /** A file of a BPF file system through which other processes find the map (`unpin` removes it). */
  pin(path: string): void {
    this.#checkOpen("pin");
    pinDescriptor(this.#addon, this.#fd, `map ${this.name}`, path);
  }

  close(): void {
    if (!this.#open) return;
    this.#ring?.close();
    this.#open = false;
    this.#mapping?.close();
    this.#descriptor.close();
    this.onClose();
  }

  /** Checks a call's arguments, in the contract's order. */
  #check(operation: string, key: Uint8Array, value?: Uint8Array, flags = 0): void {
    this.#checkOpen(operation);
    this.#checkLength(operation, "the key", key, this.spec.keySize);
    if (value !== undefined) this.#checkLength(operation, "the value", value, this.valueBytes);
    if (!Number.isSafeInteger(flags) || flags < 0) {
      throw mapError(operation, this.spec, -ERRNO.EINVAL);
    }
  }

  #checkOpen(operation: string): void {
    if (!this.#open) throw closedError(operation, this.spec);
  }

  #checkLength(operation: string, what: string, bytes: Uint8Array, expected: number): void {
    if (bytes.length !== expected) {
      throw lengthError(operation, this.spec, what, bytes.length, expected);
    }
  }

  #found(operation: string, status: number): boolean {
    if (status === 0) return true;
    if (status === -ERRNO.ENOENT) return false;
    throw mapError(operation, this.spec, status);
  }
}

/** Kernel memory behind a map's or program's descriptor, in bytes. */
export function descriptorMemory(fd: number): number {
  const text = readFileSync(`/proc/self/fdinfo/${fd}`, "utf8");
  return Number(/^memlock:\s+(\d+)/m.exec(text)?.[1] ?? 0);
}
