/** Network interfaces of this machine. */
import { readFileSync } from "node:fs";
import { BpfError, ERRNO } from "#core/errors.ts";

/** The kernel's number of an interface. Throws ENOENT where there is none of that name. */
export function interfaceIndex(name: string): number {
  try {
    // A name with a slash is none, and would lead elsewhere.
    if (!name.includes("/")) {
      return Number(readFileSync(`/sys/class/net/${name}/ifindex`, "utf8"));
    }
  } catch {
    // Reported below.
  }
  throw new BpfError(`interface ${name}`, "there is no such network interface", {
    errno: ERRNO.ENOENT,
    hint: "ip link lists them",
  });
}
