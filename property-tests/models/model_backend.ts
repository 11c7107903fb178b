/**
 * The models as a backend of their own: so that the conformance suite has something to run against
 * everywhere, and so that a test can break a map on purpose and see the suite notice.
 */

import type { Backend, BpfMap, MapSpec, RingReader } from "#core/backend.ts";
import { BpfError, ERRNO, NotSupportedError } from "#core/errors.ts";
import type { MapCall, Outcome } from "#property-tests/conformance/map_call.ts";
import { bytesOf, hex, u32, u32Bytes } from "./bytes.ts";
import { type KernelFeatures, kernelFeatures } from "./kernel_version.ts";
import { type KnownMap, type MapModel, valueBytesOf } from "./map_model.ts";
import { creationErrno, modelOf } from "./map_models.ts";

/** The part of a backend that maps need. */
export type MapBackend = Pick<Backend, "cpus" | "createMap" | "close">;

export interface ModelBackendOptions {
  /** Kernel whose behaviour is shown; default `"6.18"`. */
  readonly kernelVersion?: string;
  /** Possible CPUs; default 2. */
  readonly cpus?: number;
  /** Wraps every model, to plant a defect. */
  readonly wrap?: (model: MapModel) => MapModel;
}

export class ModelBackend implements MapBackend {
  readonly cpus: number;
  private readonly kernel: KernelFeatures;
  private readonly wrap: (model: MapModel) => MapModel;
  private readonly maps: KnownMap[] = [];

  constructor(options: ModelBackendOptions = {}) {
    this.cpus = options.cpus ?? 2;
    this.kernel = kernelFeatures(options.kernelVersion ?? "6.18");
    this.wrap = options.wrap ?? ((model) => model);
  }

  createMap(spec: MapSpec): BpfMap {
    const errno = creationErrno(spec, this.kernel);
    if (errno !== 0) throw new BpfError(`create map ${spec.name}`, "refused", { errno });
    const handle = this.maps.length + 3;
    this.maps.push({ handle, spec, lookedUp: hex(u32Bytes(handle + 1000)) });
    const context = { kernel: this.kernel, cpus: this.cpus, maps: this.maps };
    const model = modelOf(spec.type)!.create(spec, context);
    return new ModelMap(this.wrap(model), valueBytesOf(spec, this.cpus), handle);
  }

  close(): void {}
}

class ModelMap implements BpfMap {
  readonly spec: MapSpec;
  readonly valueBytes: number;
  readonly handle: number;
  private readonly model: MapModel;
  private closed = false;

  constructor(model: MapModel, valueBytes: number, handle: number) {
    this.model = model;
    this.spec = model.spec;
    this.valueBytes = valueBytes;
    this.handle = handle;
  }

  get name(): string {
    return this.spec.name;
  }

  lookup(key: Uint8Array, value: Uint8Array, flags = 0): boolean {
    return this.copyFound({ kind: "lookup", key, value: value.slice(), flags }, value);
  }

  update(key: Uint8Array, value: Uint8Array, flags = 0): void {
    this.apply({ kind: "update", key, value, flags });
  }

  delete(key: Uint8Array): boolean {
    return this.apply({ kind: "delete", key }, ERRNO.ENOENT).errno === 0;
  }

  lookupAndDelete(key: Uint8Array, value: Uint8Array): boolean {
    return this.copyFound({ kind: "lookup_and_delete", key }, value);
  }

  nextKey(key: Uint8Array | null, next: Uint8Array): boolean {
    const outcome = this.apply({ kind: "walk", from: key });
    const found = (key === null ? outcome.keys : outcome.after)?.[0];
    if (found === undefined) return false;
    next.set(bytesOf(found));
    return true;
  }

  lookupBatch(cursor: Uint8Array | null, keys: Uint8Array, values: Uint8Array, count: number) {
    const entries = this.apply({ kind: "lookup_batch", count }).entries ?? [];
    const start = cursor === null ? 0 : u32(cursor);
    const batch = entries.slice(start, start + count);
    for (const [index, [key, value]] of batch.entries()) {
      keys.set(bytesOf(key), index * this.spec.keySize);
      values.set(bytesOf(value), index * this.valueBytes);
    }
    const end = start + batch.length >= entries.length;
    return { count: batch.length, cursor: end ? null : u32Bytes(start + batch.length) };
  }

  updateBatch(keys: Uint8Array, values: Uint8Array, count: number, flags = 0): void {
    this.apply({
      kind: "update_batch",
      keys: split(keys, this.spec.keySize, count),
      values: split(values, this.valueBytes, count),
      flags,
    });
  }

  deleteBatch(keys: Uint8Array, count: number): number {
    const parts = split(keys, this.spec.keySize, count);
    return this.apply({ kind: "delete_batch", keys: parts }).processed ?? 0;
  }

  memory(): Uint8Array {
    throw new NotSupportedError("map memory of a model", "");
  }

  ring(): RingReader {
    throw new NotSupportedError("ring reader of a model", "");
  }

  memoryBytes(): number {
    return this.valueBytes * this.spec.maxEntries;
  }

  close(): void {
    this.closed = true;
  }

  private copyFound(call: MapCall, value: Uint8Array): boolean {
    const outcome = this.apply(call, ERRNO.ENOENT);
    if (outcome.value !== undefined) value.set(bytesOf(outcome.value));
    return outcome.errno === 0;
  }

  /** Throws what the model refuses, except `expected`. */
  private apply(call: MapCall, expected = 0): Outcome {
    const operation = `${call.kind} ${this.name}`;
    if (this.closed) throw new BpfError(operation, "the map is closed", { errno: ERRNO.EBADF });
    const outcome = this.model.apply(call);
    const { errno, processed } = outcome;
    if (errno === 0 || errno === expected) return outcome;
    const options = processed === undefined ? { errno } : { errno, processed };
    throw new BpfError(operation, "refused", options);
  }
}

function split(bytes: Uint8Array, size: number, count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  );
}
