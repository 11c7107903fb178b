/** `hash` and `percpu_hash`: exactly `maxEntries` keys, iterated in an order of their own. */

import { MAP_FLAG, MAP_TYPE, type MapSpec, UPDATE } from "#core/backend.ts";
import { ERRNO } from "#core/errors.ts";
import { DIFFERENCES } from "#property-tests/differences.ts";
import { PERCPU_VALUE_BYTES_MAX } from "./array.ts";
import { hex, roundUp8 } from "./bytes.ts";
import {
  ACCESS_FLAGS,
  flagsAllowed,
  isPerCpu,
  type MapModelType,
  type ModelContext,
} from "./map_model.ts";
import { ALL_BATCHES, TableModel } from "./table_model.ts";

/** Key and value of one element have to fit one allocation of this size with its header. */
const ELEMENT_BYTES_MAX = 4 << 20;

export class HashModel extends TableModel {
  protected readonly anyOrder = DIFFERENCES.hashIterationOrder;
  protected readonly takes: boolean;
  protected readonly batches = ALL_BATCHES;
  protected readonly values = new Map<string, string>();

  constructor(spec: MapSpec, context: ModelContext) {
    super(spec, context);
    this.takes = context.kernel.hashLookupAndDelete;
  }

  protected find(key: Uint8Array): string | number {
    return this.values.get(hex(key)) ?? ERRNO.ENOENT;
  }

  protected put(key: Uint8Array, value: Uint8Array, flags: number): number {
    if (flags > UPDATE.EXIST) return ERRNO.EINVAL;
    const exists = this.values.has(hex(key));
    if (exists && flags === UPDATE.NOEXIST) return ERRNO.EEXIST;
    if (!exists && flags === UPDATE.EXIST) return ERRNO.ENOENT;
    if (!exists && this.values.size === this.spec.maxEntries) return ERRNO.E2BIG;
    this.values.set(hex(key), hex(value));
    return 0;
  }

  protected remove(key: Uint8Array): number {
    return this.values.delete(hex(key)) ? 0 : ERRNO.ENOENT;
  }

  protected keys(): string[] {
    return [...this.values.keys()];
  }

  protected position(from: Uint8Array, keys: readonly string[]): number {
    return keys.indexOf(hex(from));
  }
}

/** Rules that hashes of every kind share, LRU ones included. */
export function hashCreationErrno(spec: MapSpec): number {
  const lru = spec.type === MAP_TYPE.lru_hash || spec.type === MAP_TYPE.lru_percpu_hash;
  const allowed = ACCESS_FLAGS | MAP_FLAG.NO_PREALLOC | MAP_FLAG.NO_COMMON_LRU;
  if (!flagsAllowed(spec.flags, allowed)) return ERRNO.EINVAL;
  if (!lru && (spec.flags & MAP_FLAG.NO_COMMON_LRU) !== 0) return ERRNO.EINVAL;
  if (lru && (spec.flags & MAP_FLAG.NO_PREALLOC) !== 0) return ERRNO.ENOTSUPP;
  if (spec.maxEntries === 0 || spec.keySize === 0 || spec.valueSize === 0) return ERRNO.EINVAL;
  if (spec.keySize + spec.valueSize >= ELEMENT_BYTES_MAX - 64) return ERRNO.E2BIG;
  const percpuBytes = isPerCpu(spec.type) ? roundUp8(spec.valueSize) : 0;
  return percpuBytes > PERCPU_VALUE_BYTES_MAX ? ERRNO.E2BIG : 0;
}

export const hashModel: MapModelType = {
  creationErrno: hashCreationErrno,
  create: (spec, context) => new HashModel(spec, context),
};

export const percpuHashModel: MapModelType = hashModel;
