/** `array` and `percpu_array`: all elements exist from the start, the key is an index. */

import { MAP_FLAG, MAP_TYPE, type MapSpec, UPDATE } from "#core/backend.ts";
import { ERRNO } from "#core/errors.ts";
import { hex, roundUp8, u32, u32Bytes } from "./bytes.ts";
import {
  ACCESS_FLAGS,
  flagsAllowed,
  type MapModelType,
  type ModelContext,
  valueBytesOf,
} from "./map_model.ts";
import { type Batches, TableModel } from "./table_model.ts";

/** Largest value of a per-CPU map: what the kernel's per-CPU allocator hands out. */
export const PERCPU_VALUE_BYTES_MAX = 32768;

export class ArrayModel extends TableModel {
  protected readonly anyOrder = null;
  protected readonly takes = false;
  protected readonly batches: Batches;
  private readonly values: string[];

  constructor(spec: MapSpec, context: ModelContext) {
    super(spec, context);
    const offered = spec.type === MAP_TYPE.array || context.kernel.percpuArrayBatch;
    this.batches = { lookup: offered, update: offered, delete: false };
    const zero = hex(new Uint8Array(valueBytesOf(spec, context.cpus)));
    this.values = new Array<string>(spec.maxEntries).fill(zero);
  }

  protected find(key: Uint8Array): string | number {
    return this.values[u32(key)] ?? ERRNO.ENOENT;
  }

  protected put(key: Uint8Array, value: Uint8Array, flags: number): number {
    // Only programs get here with LOCK: system calls refuse it before the array sees it.
    const locks = (flags & UPDATE.LOCK) !== 0;
    const rest = locks ? flags - UPDATE.LOCK : flags;
    if (rest > UPDATE.EXIST) return ERRNO.EINVAL;
    if (u32(key) >= this.spec.maxEntries) return ERRNO.E2BIG;
    if (rest === UPDATE.NOEXIST) return ERRNO.EEXIST;
    if (locks) return ERRNO.EINVAL;
    this.values[u32(key)] = hex(value);
    return 0;
  }

  protected remove(): number {
    return ERRNO.EINVAL;
  }

  protected keys(): string[] {
    return indexKeys(this.spec);
  }

  protected position(from: Uint8Array): number {
    return indexPosition(this.spec, from);
  }
}

/** All indices of an array, as keys. */
export function indexKeys(spec: MapSpec): string[] {
  return Array.from({ length: spec.maxEntries }, (_, index) => hex(u32Bytes(index)));
}

/** A walk from an index past the end restarts. */
export function indexPosition(spec: MapSpec, from: Uint8Array): number {
  return u32(from) < spec.maxEntries ? u32(from) : -1;
}

/** Rules that arrays of every kind share. */
export function arrayCreationErrno(spec: MapSpec, allowedFlags: number): number {
  const wrongSize = spec.maxEntries === 0 || spec.keySize !== 4 || spec.valueSize === 0;
  return wrongSize || !flagsAllowed(spec.flags, allowedFlags) ? ERRNO.EINVAL : 0;
}

export const arrayModel: MapModelType = {
  creationErrno: (spec: MapSpec) => arrayCreationErrno(spec, ACCESS_FLAGS | MAP_FLAG.MMAPABLE),
  create: (spec, context) => new ArrayModel(spec, context),
};

export const percpuArrayModel: MapModelType = {
  creationErrno(spec: MapSpec): number {
    const errno = arrayCreationErrno(spec, ACCESS_FLAGS);
    if (errno !== 0) return errno;
    // Early releases of 5.10 said ENOMEM; the last of the series say what later kernels do.
    return roundUp8(spec.valueSize) <= PERCPU_VALUE_BYTES_MAX ? 0 : ERRNO.E2BIG;
  },
  create: (spec, context) => new ArrayModel(spec, context),
};
