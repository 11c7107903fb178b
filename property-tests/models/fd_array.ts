/** Arrays of descriptors (`array_of_maps`, `prog_array`, `perf_event_array`): slots start empty. */

import { MAP_FLAG, type MapSpec } from "#core/backend.ts";
import { ERRNO } from "#core/errors.ts";
import { arrayCreationErrno, indexKeys, indexPosition } from "./array.ts";
import { u32 } from "./bytes.ts";
import type { ModelContext } from "./map_model.ts";
import { type Batches, NO_BATCHES, TableModel } from "./table_model.ts";

export abstract class FdArrayModel extends TableModel {
  protected readonly anyOrder = null;
  protected readonly takes = false;
  protected readonly batches: Batches = NO_BATCHES;
  /** What lookups answer (hex), by index. */
  private readonly slots: (string | undefined)[];

  constructor(spec: MapSpec, context: ModelContext) {
    super(spec, context);
    this.slots = new Array<string | undefined>(spec.maxEntries).fill(undefined);
  }

  /** What looking up the stored descriptor answers (hex), or the errno of refusing it. */
  protected abstract accept(handle: number): string | number;

  protected find(key: Uint8Array): string | number {
    return this.slots[u32(key)] ?? ERRNO.ENOENT;
  }

  protected put(key: Uint8Array, value: Uint8Array, flags: number): number {
    if (flags !== 0) return ERRNO.EINVAL;
    if (u32(key) >= this.spec.maxEntries) return ERRNO.E2BIG;
    const accepted = this.accept(u32(value));
    if (typeof accepted === "number") return accepted;
    this.slots[u32(key)] = accepted;
    return 0;
  }

  protected remove(key: Uint8Array): number {
    if (u32(key) >= this.spec.maxEntries) return ERRNO.E2BIG;
    if (this.slots[u32(key)] === undefined) return ERRNO.ENOENT;
    this.slots[u32(key)] = undefined;
    return 0;
  }

  protected keys(): string[] {
    return indexKeys(this.spec);
  }

  protected position(from: Uint8Array): number {
    return indexPosition(this.spec, from);
  }
}

export function fdArrayCreationErrno(spec: MapSpec): number {
  if (spec.valueSize !== 4) return ERRNO.EINVAL;
  return arrayCreationErrno(spec, MAP_FLAG.RDONLY | MAP_FLAG.WRONLY);
}
