/** Values of enumerators: how TypeScript learns the constants that C declares. */
import { BpfError, ERRNO } from "../errors.ts";
import type { Btf } from "./btf.ts";

/** Value of the enumerator called `name` in any enum; throws `BpfError` where there is none. */
export function enumeratorValue(btf: Btf, name: string): bigint {
  for (const type of btf.types) {
    if (type.kind !== "enum") continue;
    const found = type.enumerators.find((enumerator) => enumerator.name === name);
    if (found !== undefined) return found.value;
  }
  throw new BpfError(`find enumerator ${name}`, "no enum of the object declares it", {
    errno: ERRNO.ENOENT,
    hint: "rebuild the object with -g from the sources of this version",
  });
}
