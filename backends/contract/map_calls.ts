/** What every call on a map checks, alike on both backends, and in the contract's order. */
import { MAP_TYPE, type MapSpec } from "#core/backend.ts";
import { BpfError, ERRNO } from "#core/errors.ts";
import { closedError, lengthError, mapError, mapTypeName } from "./map_errors.ts";

const U32_MAX = 0xffffffff;

export class MapCalls {
  readonly #spec: MapSpec;
  /** Bytes of a value as user space sees it: of all CPUs, where there is one for each. */
  readonly #valueBytes: number;
  #open = true;

  constructor(spec: MapSpec, valueBytes: number) {
    this.#spec = spec;
    this.#valueBytes = valueBytes;
  }

  get open(): boolean {
    return this.#open;
  }

  /** From now on every check throws. */
  close(): void {
    this.#open = false;
  }

  checkOpen(operation: string): void {
    if (!this.#open) throw closedError(operation, this.#spec);
  }

  /** Throws EBADF for a closed map, EINVAL for a key, value or flags that cannot be. */
  check(operation: string, key: Uint8Array, value?: Uint8Array, flags = 0): void {
    this.checkOpen(operation);
    this.#checkLength(operation, "the key", key, this.#spec.keySize);
    if (value !== undefined) this.#checkLength(operation, "the value", value, this.#valueBytes);
    if (!Number.isSafeInteger(flags) || flags < 0) {
      throw mapError(operation, this.#spec, -ERRNO.EINVAL);
    }
  }

  checkIteration(operation: string, key: Uint8Array | null, next: Uint8Array): void {
    this.checkOpen(operation);
    const { keySize } = this.#spec;
    if (key !== null) this.#checkLength(operation, "the key", key, keySize);
    this.#checkLength(operation, "the next key", next, keySize);
  }

  /** Buffers may be longer than `count` entries. */
  checkBatch(
    operation: string,
    keys: Uint8Array,
    values: Uint8Array | undefined,
    count: number,
  ): void {
    this.checkOpen(operation);
    const spec = this.#spec;
    if (!Number.isInteger(count) || count < 0 || count > U32_MAX) {
      throw new BpfError(`${operation} map ${spec.name}`, `count is ${count}`, {
        errno: ERRNO.EINVAL,
        hint: "pass a number of entries",
        processed: 0,
      });
    }
    const keyBytes = spec.keySize * count;
    if (keys.length < keyBytes) {
      throw lengthError(operation, spec, "the keys' buffer", keys.length, keyBytes);
    }
    const valueBytes = this.#valueBytes * count;
    if (values !== undefined && values.length < valueBytes) {
      throw lengthError(operation, spec, "the values' buffer", values.length, valueBytes);
    }
  }

  checkRing(): void {
    this.checkOpen("read");
    const { name, type } = this.#spec;
    if (type === MAP_TYPE.ringbuf) return;
    throw new BpfError(`read map ${name}`, `it is a ${mapTypeName(type)} map`, {
      errno: ERRNO.EINVAL,
      hint: "only ring buffers can be read as a ring",
    });
  }

  /** False for ENOENT; throws what else `status`, a -errno, says. */
  found(operation: string, status: number): boolean {
    if (status === 0) return true;
    if (status === -ERRNO.ENOENT) return false;
    throw mapError(operation, this.#spec, status);
  }

  #checkLength(operation: string, what: string, bytes: Uint8Array, expected: number): void {
    if (bytes.length !== expected) {
      throw lengthError(operation, this.#spec, what, bytes.length, expected);
    }
  }
}

/** What `memory()` throws where the map cannot be shared. */
export function notMappableError(name: string, errno: number): BpfError {
  return new BpfError(`share memory of map ${name}`, "it was not created MMAPABLE", {
    errno,
    hint: "create an array with the flag MMAPABLE",
  });
}

/** Refuses sizes, types and flags that no 32-bit field holds. */
export function checkMapNumbers(spec: MapSpec): void {
  const { type, keySize, valueSize, maxEntries, flags } = spec;
  for (const [what, value] of Object.entries({ type, keySize, valueSize, maxEntries, flags })) {
    if (Number.isInteger(value) && value >= 0 && value <= U32_MAX) continue;
    throw new BpfError(`create map ${spec.name}`, `${what} is ${value}, not a 32-bit number`, {
      errno: ERRNO.EINVAL,
      hint: `use an integer from 0 to ${U32_MAX}`,
    });
  }
}
