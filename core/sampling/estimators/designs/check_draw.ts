/** Refusal of what no sampled event can be. */
import { BpfError, ERRNO } from "../../../errors.ts";

/** Throws `BpfError` EINVAL unless y and x are finite and 0 < pi <= 1. */
export function requireDraw(y: number, x: number, pi: number): void {
  if (pi > 0 && pi <= 1 && Number.isFinite(y) && Number.isFinite(x)) return;
  throw new BpfError("add a sampled event", `y ${y}, x ${x}, probability ${pi}`, {
    errno: ERRNO.EINVAL,
    hint: "give finite values, and the probability above 0 and at most 1 with which it was kept",
  });
}
