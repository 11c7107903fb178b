/**
 * Pinning: a map, program or link as a file of a BPF file system, where it outlives this process and
 * others find it. Nothing is pinned unless somebody asks; whoever pins also removes the file.
 */
import { rmSync } from "node:fs";
import { BpfError, ERRNO } from "#core/errors.ts";
import type { Addon, NativeDescriptor } from "./addon.ts";
import { bpfHint } from "./privileges.ts";

function pinHint(errno: number): string {
  if (errno === ERRNO.EEXIST) return "remove the file, or choose another path";
  if (errno === ERRNO.ENOENT) return "make the folder first, in a BPF file system";
  const permission = bpfHint(errno);
  if (permission !== undefined) return permission;
  return "choose a path in a BPF file system: mount -t bpf bpf /sys/fs/bpf";
}

/** Makes the file. Throws `BpfError`: EEXIST, ENOENT, EPERM where the file system is another. */
export function pinDescriptor(addon: Addon, fd: number, what: string, path: string): void {
  const status = addon.pin(fd, path);
  if (status === 0) return;
  throw new BpfError(`pin ${what} at ${path}`, "the kernel refuses", {
    errno: -status,
    hint: pinHint(-status),
  });
}

/** The thing that is pinned at `path`; the descriptor is the caller's to close. */
export function openPinned(addon: Addon, path: string): NativeDescriptor {
  const descriptor = addon.openPinned(path);
  if (typeof descriptor !== "number") return descriptor;
  throw new BpfError(`open what is pinned at ${path}`, "the kernel refuses", {
    errno: -descriptor,
    hint: bpfHint(-descriptor) ?? "name a file of a BPF file system",
  });
}

/** Removes the file; what was pinned lives on while somebody else holds it. A missing one is fine. */
export function unpin(path: string): void {
  rmSync(path, { force: true });
}
