/** When programs wake the reader of their ring. */
import type { BpfObject } from "../backend.ts";
import { fieldWriter } from "../btf/fields.ts";
import { requiredMap, requiredStruct } from "../object_parts.ts";

/** Takes effect with the next event. Throws `BpfError` where the object has no such settings. */
export function setWakeupBytes(object: BpfObject, bytes: number): void {
  const memory = requiredMap(object, ".data.wakeups").memory();
  const view = new DataView(memory.buffer, memory.byteOffset, memory.byteLength);
  fieldWriter(requiredStruct(object, "wakeup_settings"), "watermark_bytes")(view, 0, bytes);
}
