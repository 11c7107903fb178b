/** A map of the running kernel, in the kernel process. */

import { type BpfMap, MAP_TYPE, type MapSpec, type RingReader } from "#core/backend.ts";
import { BpfError, ERRNO, NotSupportedError } from "#core/errors.ts";
import { u32 } from "#property-tests/models/bytes.ts";
import { GuestRing } from "./guest_ring.ts";
import { block, OPERATION, record, u32Field, u64Field } from "./kernel_request.ts";
import type { Answer, KernelServer } from "./kernel_server.ts";
import { KeysAhead } from "./keys_ahead.ts";

/** Keys that one round trip of a walk brings. */
const KEYS_AHEAD = 256;

export interface GuestMapOptions {
  readonly kernel: KernelServer;
  readonly spec: MapSpec;
  readonly descriptor: number;
  readonly valueBytes: number;
  /** False for maps of an object, whose descriptors close with it. */
  readonly ownsDescriptor: boolean;
}

export class GuestMap implements BpfMap {
  readonly spec: MapSpec;
  readonly handle: number;
  readonly valueBytes: number;
  private readonly kernel: KernelServer;
  private readonly descriptor: Uint8Array;
  private readonly ownsDescriptor: boolean;
  private readonly ahead = new KeysAhead();
  private closed = false;

  constructor(options: GuestMapOptions) {
    this.kernel = options.kernel;
    this.spec = options.spec;
    this.handle = options.descriptor;
    this.valueBytes = options.valueBytes;
    this.descriptor = u32Field(options.descriptor);
    this.ownsDescriptor = options.ownsDescriptor;
  }

  get name(): string {
    return this.spec.name;
  }

  lookup(key: Uint8Array, value: Uint8Array, flags = 0): boolean {
    this.expectLengths("lookup", key, value);
    const parts = [this.descriptor, u64Field(flags), block(key), block(value)];
    return this.fill(value, this.ask("lookup", OPERATION.lookup, parts, ERRNO.ENOENT));
  }

  update(key: Uint8Array, value: Uint8Array, flags = 0): void {
    this.expectLengths("update", key, value);
    this.ask("update", OPERATION.update, [
      this.descriptor,
      u64Field(flags),
      block(key),
      block(value),
    ]);
  }

  delete(key: Uint8Array): boolean {
    this.expectLengths("delete", key);
    const parts = [this.descriptor, u64Field(0), block(key)];
    return this.ask("delete", OPERATION.delete, parts, ERRNO.ENOENT).result === 0;
  }

  lookupAndDelete(key: Uint8Array, value: Uint8Array): boolean {
    this.expectLengths("lookup and delete", key, value);
    const parts = [this.descriptor, u64Field(0), block(key), block(value)];
    return this.fill(value, this.ask("lookup and delete", OPERATION.take, parts, ERRNO.ENOENT));
  }

  nextKey(key: Uint8Array | null, next: Uint8Array): boolean {
    if (key !== null) this.expectLengths("next key", key);
    if (this.ahead.take(this.kernel, key, next)) return true;
    const given = block(key ?? new Uint8Array(this.spec.keySize));
    const numbers = [KEYS_AHEAD, key === null ? 0 : 1].map(u32Field);
    const parts = [this.descriptor, ...numbers, given];
    const answer = this.ask("next key", OPERATION.nextKeys, parts, ERRNO.ENOENT);
    if (answer.result !== 0) return false;
    next.set(answer.bytes.subarray(0, next.length));
    this.ahead.keep(this.kernel, answer.bytes, next.length);
    return true;
  }

  lookupBatch(cursor: Uint8Array | null, keys: Uint8Array, values: Uint8Array, count: number) {
    const { keySize } = this.spec;
    // A hash's cursor is a bucket number whatever its key size; other maps' is a key.
    const cursorSize = Math.max(4, keySize);
    const numbers = [count, keySize, this.valueBytes, cursor === null ? 0 : 1].map(u32Field);
    const parts = [this.descriptor, ...numbers, block(cursor ?? new Uint8Array(cursorSize))];
    const answer = this.ask("lookup batch", OPERATION.lookupBatch, parts, ERRNO.ENOENT);
    const copied = u32(answer.bytes);
    const keysAt = 4 + cursorSize;
    const valuesAt = keysAt + count * keySize;
    keys.set(answer.bytes.subarray(keysAt, keysAt + copied * keySize));
    values.set(answer.bytes.subarray(valuesAt, valuesAt + copied * this.valueBytes));
    return { count: copied, cursor: answer.result === 0 ? answer.bytes.slice(4, keysAt) : null };
  }

  updateBatch(keys: Uint8Array, values: Uint8Array, count: number, flags = 0): void {
    this.changeBatch("update batch", OPERATION.updateBatch, keys, values, count, flags);
  }

  deleteBatch(keys: Uint8Array, count: number): number {
    const none = new Uint8Array(0);
    return this.changeBatch("delete batch", OPERATION.deleteBatch, keys, none, count, 0);
  }

  memory(): Uint8Array {
    throw new NotSupportedError("mapped memory of another process", "");
  }

  ring(): RingReader {
    if (this.spec.type !== MAP_TYPE.ringbuf) {
      throw new BpfError(`ring of ${this.name}`, "not a ringbuf map", { errno: ERRNO.EINVAL });
    }
    return new GuestRing(this.kernel, this.handle, this.spec.maxEntries);
  }

  memoryBytes(): number {
    throw new NotSupportedError("memory accounting of another process", "");
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    if (this.ownsDescriptor) this.kernel.ask(record(OPERATION.close, this.descriptor));
  }

  private changeBatch(
    operation: string,
    code: number,
    keys: Uint8Array,
    values: Uint8Array,
    count: number,
    flags: number,
  ): number {
    const parts = [this.descriptor, u64Field(flags), u32Field(count), block(keys), block(values)];
    const answer = this.askAny(code, parts, operation);
    if (answer.result === 0) return u32(answer.bytes);
    const errno = -answer.result;
    // The kernel counts only once it has looked at an element; before, it leaves the count alone.
    const uncounted = errno === ERRNO.ENOTSUPP || errno === ERRNO.EPERM || flags !== 0;
    const processed = uncounted ? 0 : u32(answer.bytes);
    throw new BpfError(`${operation} ${this.name}`, "refused", { errno, processed });
  }

  private fill(destination: Uint8Array, answer: Answer): boolean {
    if (answer.result !== 0) return false;
    destination.set(answer.bytes);
    return true;
  }

  /** Throws what the kernel refuses, except `expected`. */
  private ask(operation: string, code: number, parts: readonly Uint8Array[], expected = 0): Answer {
    const answer = this.askAny(code, parts, operation);
    if (answer.result >= 0 || -answer.result === expected) return answer;
    throw new BpfError(`${operation} ${this.name}`, "refused", { errno: -answer.result });
  }

  private askAny(code: number, parts: readonly Uint8Array[], operation: string): Answer {
    if (this.closed) {
      const problem = "the map is closed";
      throw new BpfError(`${operation} ${this.name}`, problem, { errno: ERRNO.EBADF });
    }
    return this.kernel.ask(record(code, ...parts));
  }

  private expectLengths(operation: string, key: Uint8Array, value?: Uint8Array): void {
    const { keySize } = this.spec;
    const fits = key.length === keySize && (value?.length ?? this.valueBytes) === this.valueBytes;
    if (fits) return;
    const problem = `keys have ${keySize} bytes, values ${this.valueBytes}`;
    throw new BpfError(`${operation} ${this.name}`, problem, { errno: ERRNO.EINVAL });
  }
}
