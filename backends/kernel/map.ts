/** A map of the kernel as the backends' contract wants it. */
import { readFileSync } from "node:fs";
import { MapCalls, notMappableError } from "#contract/map_calls.ts";
import { mapError } from "#contract/map_errors.ts";
import { type BpfMap, MAP_TYPE, type MapSpec, type RingReader } from "#core/backend.ts";
import { ERRNO } from "#core/errors.ts";
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
  readonly #calls: MapCalls;
  readonly #batches: MapBatches;
  #mapping: NativeMapping | undefined;
  #memory: Uint8Array | undefined;
  #ring: RingReader | undefined;
  /** Called once, when the map closes. */
  onClose: () => void = () => {};

  /** Takes over `descriptor`. */
  constructor(addon: Addon, spec: MapSpec, descriptor: MapDescriptor, cpus: number) {
    this.spec = spec;
    this.valueBytes = PER_CPU.has(spec.type) ? roundUp8(spec.valueSize) * cpus : spec.valueSize;
    this.#addon = addon;
    this.#descriptor = descriptor;
    this.#fd = descriptor.number();
    this.#calls = new MapCalls(spec, this.valueBytes);
    this.#batches = new MapBatches(addon, spec, this.#fd, this.#calls);
  }

  get name(): string {
    return this.spec.name;
  }

  get handle(): number {
    this.#calls.checkOpen("use");
    return this.#fd;
  }

  lookup(key: Uint8Array, value: Uint8Array, flags = 0): boolean {
    this.#calls.check("look up", key, value, flags);
    return this.#calls.found("look up", this.#addon.mapLookup(this.#fd, key, value, flags));
  }

  update(key: Uint8Array, value: Uint8Array, flags = 0): void {
    this.#calls.check("update", key, value, flags);
    const status = this.#addon.mapUpdate(this.#fd, key, value, flags);
    if (status !== 0) throw mapError("update", this.spec, status);
  }

  delete(key: Uint8Array): boolean {
    this.#calls.check("delete from", key);
    return this.#calls.found("delete from", this.#addon.mapDelete(this.#fd, key));
  }

  lookupAndDelete(key: Uint8Array, value: Uint8Array): boolean {
    this.#calls.check("look up and delete from", key, value);
    return this.#calls.found("look up and delete from", this.#addon.mapTake(this.#fd, key, value));
  }

  nextKey(key: Uint8Array | null, next: Uint8Array): boolean {
    this.#calls.checkIteration("iterate", key, next);
    return this.#calls.found("iterate", this.#addon.mapNextKey(this.#fd, key, next));
  }

  lookupBatch(
    cursor: Uint8Array | null,
    keys: Uint8Array,
    values: Uint8Array,
    count: number,
  ): { readonly count: number; readonly cursor: Uint8Array | null } {
    return this.#batches.lookup(cursor, keys, values, count);
  }

  updateBatch(keys: Uint8Array, values: Uint8Array, count: number, flags = 0): void {
    this.#batches.update(keys, values, count, flags);
  }

  deleteBatch(keys: Uint8Array, count: number): number {
    return this.#batches.delete(keys, count);
  }

  /**
   * As the contract says. Global data that the kernel has frozen (`.rodata`) cannot change any more:
   * of it the caller gets a copy, which may be written to without effect.
   */
  memory(): Uint8Array {
    this.#calls.checkOpen("share memory of");
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
    throw notMappableError(this.name, -mapping);
  }

  #copyOfValue(size: number): Uint8Array {
    const copy = new Uint8Array(size);
    this.lookup(new Uint8Array(this.spec.keySize), copy.subarray(0, this.valueBytes));
    return copy;
  }

  ring(): RingReader {
    this.#calls.checkRing();
    this.#ring ??= openRing(this.#addon, this.name, this.#fd, this.spec.maxEntries);
    return this.#ring;
  }

  memoryBytes(): number {
    this.#calls.checkOpen("measure");
    return descriptorMemory(this.#fd);
  }

  /** User space may no longer write; programs still can. Throws EBUSY the second time. */
  freeze(): void {
    this.#calls.checkOpen("freeze");
    const status = this.#addon.mapFreeze(this.#fd);
    if (status < 0) throw mapError("freeze", this.spec, status);
  }

  /** A file of a BPF file system through which other processes find the map (`unpin` removes it). */
  pin(path: string): void {
    this.#calls.checkOpen("pin");
    pinDescriptor(this.#addon, this.#fd, `map ${this.name}`, path);
  }

  close(): void {
    if (!this.#calls.open) return;
    this.#ring?.close();
    this.#calls.close();
    this.#mapping?.close();
    this.#descriptor.close();
    this.onClose();
  }
}

/** Kernel memory behind a map's or program's descriptor, in bytes. */
export function descriptorMemory(fd: number): number {
  const text = readFileSync(`/proc/self/fdinfo/${fd}`, "utf8");
  return Number(/^memlock:\s+(\d+)/m.exec(text)?.[1] ?? 0);
}
