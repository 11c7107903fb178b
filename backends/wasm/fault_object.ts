/** The object next to a fault, as the runtime finds it (`runtime/fault_object.h`), and as people read it. */
import type { FaultObject } from "#core/errors.ts";

/** By number of `enum rt_object_kind`. */
const KINDS = [undefined, "null", "frame", "context", "value", "record"] as const;

/** Reads the words of `struct rt_object`; undefined where nothing is near. */
export function readFaultObject(
  words: Uint32Array,
  nameOf: (map: number) => string | undefined,
): FaultObject | undefined {
  const [kind = 0, map = 0, offset = 0, size = 0, closed = 0] = words;
  const known = KINDS[kind];
  if (known === undefined) return undefined;
  const name = nameOf(map);
  return {
    kind: known,
    ...(name === undefined ? {} : { map: name }),
    offset: offset | 0,
    size,
    gone: closed !== 0 && (known === "value" || known === "record"),
  };
}

/** `offset 12 of a 12-byte value of map flows`. */
export function describeFaultObject({ kind, map, offset, size, gone }: FaultObject): string {
  switch (kind) {
    case "null":
      return `NULL+${offset}`;
    case "frame":
      return `r10${offset < 0 ? "" : "+"}${offset}`;
    case "context":
      return `offset ${offset} of the ${size}-byte context`;
    case "value":
      return `offset ${offset} of a ${gone ? "deleted " : ""}${size}-byte value of map ${map}`;
    default:
      return `offset ${offset} of a ${gone ? "given-back " : ""}${size}-byte record of ring ${map}`;
  }
}
