import { BpfError, ERRNO } from "../../errors.ts";

/** Throws `BpfError` EINVAL unless `k` is a whole number from 1. */
export function requireSampleSize(k: number): void {
  if (Number.isInteger(k) && k >= 1) return;
  throw new BpfError("sample k events", `k is ${k}`, {
    errno: ERRNO.EINVAL,
    hint: "give a whole number from 1",
  });
}
