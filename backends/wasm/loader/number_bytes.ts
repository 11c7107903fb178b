import { ERRNO } from "#core/errors.ts";
import { openError } from "./open_error.ts";

/** A number as `size` little-endian bytes. Throws `BpfError` (ERANGE) where it does not fit. */
export function numberBytes(
  object: string,
  name: string,
  value: number | bigint,
  size: number,
  signed: boolean,
  bool = false,
): Uint8Array {
  const outOfRange = (range: string) =>
    openError(object, `${value} does not fit "${name}", which holds ${range}`, {
      errno: ERRNO.ERANGE,
    });
  const bits = size * 8;
  if (typeof value === "number" && !Number.isInteger(value)) throw outOfRange("whole numbers");
  const number = BigInt(value);
  if (bool && number !== 0n && number !== 1n) throw outOfRange("0 or 1");
  const wrapped = signed ? BigInt.asIntN(bits, number) : BigInt.asUintN(bits, number);
  if (wrapped !== number) throw outOfRange(`${signed ? "signed" : "unsigned"} ${bits}-bit numbers`);
  const bytes = new Uint8Array(size);
  let rest = BigInt.asUintN(bits, number);
  for (let i = 0; i < size; i++, rest >>= 8n) bytes[i] = Number(rest & 0xffn);
  return bytes;
}
