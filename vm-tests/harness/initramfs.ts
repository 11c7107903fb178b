/** Initial file systems for guests: cpio archives (newc), which the kernel unpacks one after another. */

import { spawnSync } from "node:child_process";
import { readFileSync, realpathSync } from "node:fs";
import { zstdCompressSync } from "node:zlib";

export interface GuestFile {
  /** Path in the guest, absolute. */
  readonly path: string;
  readonly content: Uint8Array;
  /** Permission bits; default 0755. */
  readonly mode?: number;
}

const FILE = 0o100000;
const FOLDER = 0o040000;
/** Magic and 13 numbers of eight hex digits. */
const HEADER_BYTES = 6 + 13 * 8;

/** One archive that holds the files and the folders they lie in. */
export function archive(files: readonly GuestFile[]): Uint8Array {
  const folders = new Set<string>();
  for (const { path } of files) {
    const parts = path.split("/").slice(1, -1);
    for (let depth = 1; depth <= parts.length; depth += 1) {
      folders.add(parts.slice(0, depth).join("/"));
    }
  }
  const entries = [
    ...[...folders].map((path) => entry(path, FOLDER | 0o755, new Uint8Array(0))),
    ...files.map(({ path, content, mode }) =>
      entry(path.slice(1), FILE | (mode ?? 0o755), content),
    ),
    entry("TRAILER!!!", 0, new Uint8Array(0)),
  ];
  // The kernel takes the next archive from any multiple of four.
  return Buffer.concat(entries.map((bytes, inode) => withInode(bytes, inode + 1)));
}

/** zstd: the smallest wait for large archives, known to every kernel from 5.9. */
export function compressed(bytes: Uint8Array): Uint8Array {
  const whole = zstdCompressSync(bytes);
  return Buffer.concat([whole, new Uint8Array(padding(whole.length))]);
}

/** A dynamically linked program and the libraries that it names, at their own paths. */
export function programWithLibraries(program: string, path: string): GuestFile[] {
  const listed = spawnSync("ldd", [program], { encoding: "utf8" });
  const libraries = [...(listed.stdout ?? "").matchAll(/(\/\S+) \(0x/g)].map((match) => match[1]!);
  return [
    { path, content: readFileSync(program) },
    ...libraries.map((library) => ({
      path: library,
      content: readFileSync(realpathSync(library)),
    })),
  ];
}

function entry(path: string, mode: number, content: Uint8Array): Buffer {
  const name = Buffer.from(`${path}\0`);
  const [owner, group, links, time] = [0, 0, 1, 0];
  const device = [0, 0, 0, 0];
  const numbers = [0, mode, owner, group, links, time, content.length, ...device, name.length, 0];
  const digits = numbers.map((number) => number.toString(16).padStart(8, "0")).join("");
  return Buffer.concat([
    Buffer.from(`070701${digits}`),
    name,
    new Uint8Array(padding(HEADER_BYTES + name.length)),
    content,
    new Uint8Array(padding(content.length)),
  ]);
}

function withInode(bytes: Buffer, inode: number): Buffer {
  bytes.write(inode.toString(16).padStart(8, "0"), 6);
  return bytes;
}

function padding(length: number): number {
  return (4 - (length % 4)) % 4;
}
