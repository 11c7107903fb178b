/** Disassembles with LLVM, as an oracle. */

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseElf } from "#wasm/loader/elf.ts";
import { compileBpf } from "./clang.ts";

/** Text of each instruction by slot, without labels; absent where LLVM knows none. */
export function disassembleWithLlvm(code: Uint8Array): Map<number, string> {
  const scratch = mkdtempSync(join(tmpdir(), "objdump-"));
  try {
    const path = join(scratch, "code.o");
    writeFileSync(path, objectWith(code));
    const flags = ["-d", "--mcpu=v3", "--no-show-raw-insn", path];
    const run = spawnSync("llvm-objdump", flags, { encoding: "utf8", maxBuffer: 1 << 28 });
    if (run.status !== 0) throw new Error(`llvm-objdump failed: ${run.stderr}`);
    return parseListing(run.stdout);
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

/** An object whose one function consists of these instructions. */
function objectWith(code: Uint8Array): Uint8Array {
  const slots = code.length / 8;
  const body = `asm volatile(".rept ${slots}\\n r0 = 0\\n .endr");`;
  const object = compileBpf(`__attribute__((naked)) void f(void)\n{ ${body} }\n`);
  const text = parseElf(object, "t").sections.find(({ name }) => name === ".text")!;
  text.data.set(code);
  return object;
}

function parseListing(listing: string): Map<number, string> {
  const found = new Map<number, string>();
  for (const line of listing.split("\n")) {
    const match = /^\s*(\d+):\s+(.*?)(?:\s+<(?!unknown)[A-Za-z_][^<>]*>)?\s*$/.exec(line);
    if (match !== null && match[2] !== "<unknown>") found.set(Number(match[1]), match[2]!);
  }
  return found;
}
