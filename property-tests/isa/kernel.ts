/**
 * Bare programs on the running kernel: builds `kernel_runner.c` and talks to it. Needs root, clang (or
 * another C compiler named by CC) and libbpf's headers.
 */

import { type ChildProcessByStdio, execFileSync, spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";

/** The low `bits` of r0; or the kernel refused the program, with the last line of the verifier's log. */
export type KernelAnswer =
  | { readonly kind: "ran"; readonly bits: number; readonly r0: bigint }
  | { readonly kind: "refused"; readonly errno: number; readonly log: string };

const SOURCES = ["kernel_runner.c", "bare_program.c"].map((name) =>
  fileURLToPath(new URL(name, import.meta.url)),
);
const BUILD_FOLDER = fileURLToPath(new URL("../../build/", import.meta.url));

/** Close it when done: a child process hangs on it. */
export class Kernel {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;

  constructor() {
    mkdirSync(BUILD_FOLDER, { recursive: true });
    const binary = `${BUILD_FOLDER}kernel_runner`;
    const { CC: compiler = "clang" } = process.env;
    execFileSync(compiler, ["-O1", "-Wall", "-std=gnu11", ...SOURCES, "-o", binary, "-lbpf"]);
    this.#process = spawn(binary, { stdio: ["pipe", "pipe", "inherit"] });
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
  }

  /**
   * Runs one program. `constants` is memory that the program reaches with LDDW of source 2 and whose
   * contents the verifier does not know. Throws where the runner itself failed.
   */
  async run(
    program: Uint8Array,
    memory: Uint8Array,
    constants: Uint8Array = new Uint8Array(),
  ): Promise<KernelAnswer> {
    this.#process.stdin.write(`${hex(memory)} ${hex(program)} ${hex(constants)}\n`);
    const { value: line, done } = await this.#lines.next();
    if (done) throw new Error("kernel_runner died");
    const [kind, number = "", ...rest] = (line as string).split(" ");
    if (kind === "ok") return { kind: "ran", bits: Number(number), r0: BigInt(rest[0]!) };
    if (kind === "refused") {
      return { kind: "refused", errno: Number(number), log: rest.join(" ") };
    }
    throw new Error(`kernel_runner: ${line}; is this root?`);
  }

  close(): void {
    this.#process.stdin.end();
  }
}

function hex(bytes: Uint8Array): string {
  return bytes.length === 0 ? "-" : Buffer.from(bytes).toString("hex");
}

export function describeAnswer(answer: KernelAnswer): string {
  return answer.kind === "ran"
    ? `r0 = 0x${answer.r0.toString(16)}`
    : `refused (${answer.errno}): ${answer.log}`;
}
