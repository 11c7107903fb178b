/** Compiles C to a BPF object in memory and hands out its sections. */

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const FLAGS = ["-target", "bpf", "-g", "-O2", "-Wall", "-Werror", "-c", "-o", "-"];

export interface CompiledObject {
  readonly bytes: Uint8Array;
  /** The contents of an ELF section; throws where the object has none of that name. */
  section(name: string): Uint8Array;
}

export function compileBpf(source: string): CompiledObject {
  const bytes = runClang(source);
  const sections = elfSections(bytes);
  return {
    bytes,
    section(name) {
      const section = sections.get(name);
      if (section === undefined) {
        throw new Error(`no section ${name}, only ${[...sections.keys()].join(" ")}`);
      }
      return section;
    },
  };
}

/** From a file, because clang quotes source lines in `.BTF.ext` only of files it can reopen. */
function runClang(source: string): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), "tapio-bpf-test-"));
  try {
    const file = join(folder, "source.bpf.c");
    writeFileSync(file, source);
    const clang = spawnSync("clang", [...FLAGS, file], { maxBuffer: 1 << 26 });
    if (clang.error !== undefined) throw clang.error;
    if (clang.status !== 0) throw new Error(`clang failed:\n${clang.stderr.toString()}`);
    return new Uint8Array(clang.stdout);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** 64-bit little-endian ELF, trusted: it comes from the compiler. */
function elfSections(bytes: Uint8Array): Map<string, Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const table = Number(view.getBigUint64(0x28, true));
  const entryBytes = view.getUint16(0x3a, true);
  const count = view.getUint16(0x3c, true);
  const content = (index: number): Uint8Array => {
    const start = Number(view.getBigUint64(table + index * entryBytes + 0x18, true));
    const size = Number(view.getBigUint64(table + index * entryBytes + 0x20, true));
    return bytes.subarray(start, start + size);
  };
  const names = content(view.getUint16(0x3e, true));
  const sections = new Map<string, Uint8Array>();
  for (let index = 1; index < count; index++) {
    const start = view.getUint32(table + index * entryBytes, true);
    const name = new TextDecoder().decode(names.subarray(start, names.indexOf(0, start)));
    sections.set(name, content(index));
  }
  return sections;
}
