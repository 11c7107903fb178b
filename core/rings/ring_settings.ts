/** What programs follow at their ring: `struct ring_settings` of bpf_batch.h. Takes effect with the next event. */
import type { BpfObject } from "../backend.ts";
import { fieldWriterPair } from "../btf/fields.ts";
import { requiredMap, requiredStruct } from "../object_parts.ts";

type Setting = "watermark_bytes" | "ordinary_limit_bytes";

function write(object: BpfObject, setting: Setting, bytes: number): void {
  const memory = requiredMap(object, ".data.ring").memory();
  const view = new DataView(memory.buffer, memory.byteOffset, memory.byteLength);
  fieldWriterPair(requiredStruct(object, "ring_settings"), setting).low(view, 0, bytes);
}

/** When programs wake the reader. Throws `BpfError` where the object has no such settings. */
export function setWakeupBytes(object: BpfObject, bytes: number): void {
  write(object, "watermark_bytes", bytes);
}

/**
 * The last `bytes` of a ring of `size_bytes` are for errors and high priority; 0: for every event. Throws `BpfError` where
 * the object has no such settings.
 */
export function setReservedBytes(object: BpfObject, bytes: number, size_bytes: number): void {
  write(object, "ordinary_limit_bytes", bytes === 0 ? 0 : size_bytes - bytes);
}
