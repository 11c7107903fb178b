import { BpfError } from "#core/errors.ts";
import { parseElf } from "#wasm/loader/elf.ts";
import { parseObject } from "#wasm/loader/object_spec.ts";

/**
 * The object with CO-RE relocations of kind `from` in a program section turned into kind `to`: for
 * kinds that the compiler at hand cannot express.
 */
export function withCoreKind(
  object: Uint8Array,
  section: string,
  from: number,
  to: number,
): Uint8Array {
  const copy = object.slice();
  const data = parseElf(copy, "t").sections.find(({ name }) => name === ".BTF.ext")!.data;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const header = view.getUint32(4, true);
  const start = header + view.getUint32(24, true);
  const end = start + view.getUint32(28, true);
  const record = view.getUint32(start, true);
  const { strings } = parseObject(object, "t").btf;
  for (let at = start + 4; at < end; ) {
    const name = view.getUint32(at, true);
    const text = strings.subarray(name, strings.indexOf(0, name));
    const wanted = new TextDecoder().decode(text) === section;
    const count = view.getUint32(at + 4, true);
    at += 8;
    for (let i = 0; i < count; i++, at += record) {
      if (wanted && view.getUint32(at + 12, true) === from) view.setUint32(at + 12, to, true);
    }
  }
  if (copy.every((byte, i) => byte === object[i])) throw new BpfError("patch", "nothing to patch");
  return copy;
}
