/** `hash_of_maps`: a hash whose values are maps like the template. */

import type { MapSpec } from "#core/backend.ts";
import { ERRNO } from "#core/errors.ts";
import { acceptInnerMap, templateErrno } from "./array_of_maps.ts";
import { bytesOf, u32 } from "./bytes.ts";
import { HashModel, hashCreationErrno } from "./hash.ts";
import type { MapModelType, ModelContext } from "./map_model.ts";
import { ALL_BATCHES, type Batches, NO_BATCHES } from "./table_model.ts";

export class HashOfMapsModel extends HashModel {
  protected override readonly takes = false;
  protected override readonly batches: Batches;

  constructor(spec: MapSpec, context: ModelContext) {
    super(spec, context);
    this.batches = context.kernel.mapInMapBatch ? ALL_BATCHES : NO_BATCHES;
  }

  /** The descriptor is looked at first, whatever the flags say. */
  protected override put(key: Uint8Array, value: Uint8Array, flags: number): number {
    const accepted = acceptInnerMap(this.spec, this.context, u32(value));
    if (typeof accepted === "number") return accepted;
    return super.put(key, bytesOf(accepted), flags);
  }
}

export const hashOfMapsModel: MapModelType = {
  creationErrno(spec: MapSpec): number {
    if (spec.valueSize !== 4) return ERRNO.EINVAL;
    return hashCreationErrno(spec) || templateErrno(spec.inner);
  },
  create: (spec, context) => new HashOfMapsModel(spec, context),
};
