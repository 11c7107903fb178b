/**
 * Where runs listen. Each has a socket of its own, named by its process, in a folder that only its
 * user may enter; so runs never compete for a name, and a client finds the one there is.
 */
import { mkdirSync, readdirSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BpfError } from "#core/errors.ts";

const SUFFIX = ".sock";
/** `sun_path` holds 108 bytes, its closing zero included. */
export const SOCKET_PATH_BYTES_MAX = 107;

function userId(): number {
  return process.getuid?.() ?? 0;
}

/** `$XDG_RUNTIME_DIR/tapio-bpf`; without that variable a folder of this user below /run or /tmp. */
export function socketFolder(): string {
  const runtime = process.env["XDG_RUNTIME_DIR"];
  if (runtime !== undefined && runtime !== "") return join(runtime, "tapio-bpf");
  if (userId() === 0) return "/run/tapio-bpf";
  return join(tmpdir(), `tapio-bpf-${userId()}`);
}

/** The socket of process `pid`; its folder is made. */
export function ownSocketPath(pid: number): string {
  const folder = socketFolder();
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { uid, mode } = statSync(folder);
  if (uid !== userId() || (mode & 0o077) !== 0) {
    throw new BpfError(`folder ${folder}`, "others may enter it", {
      hint: "remove it, make it mode 0700, or give --socket PATH",
    });
  }
  return join(folder, `${pid}${SUFFIX}`);
}

/** Sockets of runs that may be in progress, those that died without cleaning up included. */
export function knownSocketPaths(): string[] {
  const folder = socketFolder();
  try {
    const names = readdirSync(folder).filter((name) => name.endsWith(SUFFIX));
    return names.map((name) => join(folder, name)).sort();
  } catch {
    return [];
  }
}
