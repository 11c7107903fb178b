/** Parts of an object that a capability cannot do without; an object of other sources may lack them. */
import type { BpfMap, BpfObject } from "./backend.ts";
import { type Layout, layoutOf } from "./btf/layout.ts";
import { findType } from "./btf/queries.ts";
import { BpfError, ERRNO } from "./errors.ts";

/** Throws `BpfError` (ENOENT) where the object has no map of that name. */
export function requiredMap(object: BpfObject, name: string): BpfMap {
  const map = object.maps.get(name);
  if (map !== undefined) return map;
  throw new BpfError(`object ${object.name}`, `has no map ${name}`, {
    errno: ERRNO.ENOENT,
    hint: "rebuild the object from the sources of this version",
  });
}

/** Throws `BpfError` (ENOENT) where the object's BTF has no struct of that name. */
export function requiredStruct(object: BpfObject, name: string): Layout {
  const id = findType(object.btf, name, "struct");
  if (id !== undefined) return layoutOf(object.btf, id);
  throw new BpfError(`object ${object.name}`, `declares no struct ${name}`, {
    errno: ERRNO.ENOENT,
    hint: "rebuild the object with -g from the sources of this version",
  });
}
