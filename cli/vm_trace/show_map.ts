/** Entries of a map as text, decoded by the object's BTF where it says the types. */
import type { BpfMap } from "#core/backend.ts";
import type { Btf, BtfVariable } from "#core/btf/btf.ts";
import { type BtfValue, createCodec } from "#core/btf/codec.ts";

const ENTRIES_MAX = 20;

type Show = (bytes: Uint8Array) => string;

/** One line an entry. Throws `BpfError` for a map that has no keys to go through. */
export function showMap(map: BpfMap, btf: Btf): string[] {
  const { keySize, keyTypeId, valueTypeId, valueSize } = map.spec;
  const type = btf.types[valueTypeId ?? 0];
  if (type?.kind === "section") return showVariables(map, btf, type.variables);
  const showKey = decoder(btf, keyTypeId);
  const showValue = perCpu(map, decoder(btf, valueTypeId));
  const value = new Uint8Array(map.valueBytes);
  const lines: string[] = [];
  let key: Uint8Array | null = null;
  for (let next = new Uint8Array(keySize); map.nextKey(key, next); ) {
    key = next.slice();
    if (lines.length === ENTRIES_MAX) return [...lines, `... the first ${ENTRIES_MAX} entries`];
    if (!map.lookup(key, value)) continue;
    const zero = value.every((byte) => byte === 0);
    lines.push(`${showKey(key)}: ${zero && valueSize > 16 ? "zero" : showValue(value)}`);
    next = new Uint8Array(keySize);
  }
  return lines.length === 0 ? ["no entries"] : lines;
}

function decoder(btf: Btf, typeId: number | undefined): Show {
  if (typeId === undefined || typeId === 0) return hex;
  const codec = createCodec(btf, typeId);
  return (bytes) => JSON.stringify(codec.decode(bytes), plain).replaceAll('"', "");
}

/** Global variables, one a line. */
function showVariables(map: BpfMap, btf: Btf, variables: readonly BtfVariable[]): string[] {
  const bytes = new Uint8Array(map.valueBytes);
  map.lookup(new Uint8Array(map.spec.keySize), bytes);
  return variables.map(({ typeId, offset, size }) => {
    const show = decoder(btf, typeId);
    return `${btf.types[typeId]!.name} = ${show(bytes.subarray(offset, offset + size))}`;
  });
}

/** Per-CPU maps hold a value for each CPU. */
function perCpu({ spec, valueBytes }: BpfMap, show: Show): Show {
  if (valueBytes === spec.valueSize) return show;
  const stride = Math.ceil(spec.valueSize / 8) * 8;
  return (bytes) =>
    Array.from({ length: valueBytes / stride }, (_, cpu) => {
      const at = cpu * stride;
      return `CPU ${cpu} ${show(bytes.subarray(at, at + spec.valueSize))}`;
    }).join(", ");
}

function plain(_: string, value: BtfValue): unknown {
  if (typeof value === "bigint") return String(value);
  return value instanceof Uint8Array ? hex(value) : value;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
