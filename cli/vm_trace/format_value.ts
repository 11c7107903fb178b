/** Values of registers as people read them. */
import type { Step } from "#wasm/tracing/tracer.ts";
import type { ValueNames } from "#wasm/tracing/value_names.ts";

/** Numbers whose magnitude is below this are decimal, others hexadecimal. */
const DECIMAL_MAX = 65_536n;

export function formatNumber(value: bigint): string {
  const signed = BigInt.asIntN(64, value);
  const small = signed < DECIMAL_MAX && signed > -DECIMAL_MAX;
  return small ? String(signed) : `0x${value.toString(16)}`;
}

/** With what it stands for, where that is known: `0x51ff8 (fp-8)`. `open`: steps of the frames. */
export function formatValue(value: bigint, names: ValueNames, open: readonly Step[]): string {
  const name = names.nameOf(value, open);
  return name === undefined ? formatNumber(value) : `0x${value.toString(16)} (${name})`;
}

/** What it stands for, or the number. */
export function shortValue(value: bigint, names: ValueNames, open: readonly Step[]): string {
  return names.nameOf(value, open) ?? formatNumber(value);
}
