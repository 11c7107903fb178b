/** When programs wake the reader of their ring. */
import type { BpfObject } from "../backend.ts";
import { fieldWriter } from "../btf/fields.ts";
import { layoutOf } from "../btf/layout.ts";
import { findType } from "../btf/queries.ts";
import { BpfError, ERRNO } from "../errors.ts";

/** Takes effect with the next event. Throws `BpfError` where the object has no such settings. */
export function setWakeupBytes(object: BpfObject, bytes: number): void {
  const map = object.maps.get("wakeups");
  const id = findType(object.btf, "wakeup_settings", "struct");
  if (map === undefined || id === undefined) {
    throw new BpfError(`object ${object.name}`, "has no settings of wake-ups", {
      errno: ERRNO.ENOENT,
      hint: "rebuild the object from the sources of this version",
    });
  }
  const memory = map.memory();
  const view = new DataView(memory.buffer, memory.byteOffset, memory.byteLength);
  fieldWriter(layoutOf(object.btf, id), "watermark_bytes")(view, 0, bytes);
}
