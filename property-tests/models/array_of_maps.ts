/** `array_of_maps`: takes descriptors of maps like the template, answers with their ids. */

import { MAP_TYPE, type MapSpec } from "#core/backend.ts";
import { ERRNO } from "#core/errors.ts";
import { FdArrayModel, fdArrayCreationErrno } from "./fd_array.ts";
import type { MapModelType, ModelContext } from "./map_model.ts";
import type { Batches } from "./table_model.ts";

export class ArrayOfMapsModel extends FdArrayModel {
  protected override readonly batches: Batches;

  constructor(spec: MapSpec, context: ModelContext) {
    super(spec, context);
    const offered = context.kernel.mapInMapBatch;
    this.batches = { lookup: offered, update: offered, delete: false };
  }

  protected accept(handle: number): string | number {
    return acceptInnerMap(this.spec, this.context, handle);
  }
}

/** What looking up an inner map answers, or why the outer map refuses it. */
export function acceptInnerMap(
  outer: MapSpec,
  context: ModelContext,
  handle: number,
): string | number {
  const map = context.maps.find((known) => known.handle === handle);
  if (map === undefined) return ERRNO.EBADF;
  return outer.inner !== undefined && isLike(outer.inner, map.spec) ? map.lookedUp : ERRNO.EINVAL;
}

/** Arrays must also have the template's number of entries: programs are compiled against it. */
function isLike(template: MapSpec, map: MapSpec): boolean {
  return (
    template.type === map.type &&
    template.keySize === map.keySize &&
    template.valueSize === map.valueSize &&
    template.flags === map.flags &&
    (template.type !== MAP_TYPE.array || template.maxEntries === map.maxEntries)
  );
}

const CANNOT_BE_INNER: ReadonlySet<number> = new Set([MAP_TYPE.prog_array]);

/** Rules for the template of an outer map; a template that cannot exist is another matter. */
export function templateErrno(template: MapSpec | undefined): number {
  if (template === undefined) return ERRNO.EINVAL;
  const isOuter =
    template.type === MAP_TYPE.array_of_maps || template.type === MAP_TYPE.hash_of_maps;
  if (isOuter) return ERRNO.EINVAL;
  return CANNOT_BE_INNER.has(template.type) ? ERRNO.ENOTSUPP : 0;
}

export const arrayOfMapsModel: MapModelType = {
  creationErrno: (spec: MapSpec) => fdArrayCreationErrno(spec) || templateErrno(spec.inner),
  create: (spec, context) => new ArrayOfMapsModel(spec, context),
};
