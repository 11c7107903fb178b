/**
 * The C process that makes bpf(2) calls for the suite: built on demand, spoken to synchronously over
 * two FIFOs, so that properties stay synchronous.
 */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const SOURCES = ["kernel_process.c", "kernel_maps.c", "kernel_programs.c", "kernel_rings.c"];
const HEADERS = ["kernel_process.h"];
const BINARY = join(import.meta.dirname, "../../build/kernel_process");

/** Answer of the process: 0, a descriptor, or a negative errno, and bytes valid until the next. */
export interface Answer {
  readonly result: number;
  readonly bytes: Uint8Array;
}

/** Why maps of the running kernel cannot be used here, as one line; undefined where they can. */
export function refusalOfKernel(): string | undefined {
  const problem = build();
  if (problem !== undefined) return problem;
  const probe = spawnSync(BINARY, ["--probe"], { encoding: "utf8" });
  return probe.status === 0 ? undefined : `${probe.stdout.trim()}; run as root with BPF allowed`;
}

function build(): string | undefined {
  const paths = (names: string[]) => names.map((name) => join(import.meta.dirname, name));
  const built = statSync(BINARY, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const changed = paths([...SOURCES, ...HEADERS]).some((path) => statSync(path).mtimeMs > built);
  if (!changed) return undefined;
  mkdirSync(join(BINARY, ".."), { recursive: true });
  const flags = ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror"];
  const parameters = [...flags, ...paths(SOURCES), "-lbpf", "-o", BINARY];
  const compiler = spawnSync("cc", parameters, { encoding: "utf8" });
  if (compiler.error !== undefined) return "cc is missing; install a C compiler (gcc or clang)";
  if (compiler.status === 0) return undefined;
  return `cc failed (${compiler.stderr.split("\n")[0]}); is libbpf-dev installed?`;
}

export class KernelProcess {
  private readonly child: ChildProcess;
  private readonly requests: number;
  private readonly responses: number;
  private readonly header = new Uint8Array(8);
  private readonly headerView = new DataView(this.header.buffer);
  private closed = false;

  /** Call `refusalOfKernel` before: a process that cannot start would leave this waiting. */
  constructor() {
    const folder = mkdtempSync(join(tmpdir(), "kernel-process-"));
    const paths = [join(folder, "requests"), join(folder, "responses")] as const;
    spawnSync("mkfifo", paths);
    this.child = spawn(BINARY, paths, { stdio: ["ignore", "ignore", "inherit"] });
    this.child.unref();
    this.requests = openSync(paths[0], "w");
    this.responses = openSync(paths[1], "r");
    rmSync(folder, { recursive: true });
  }

  /** Sends one request (operation and fields) and waits for its answer. */
  ask(request: Uint8Array): Answer {
    if (this.closed) throw new Error("the kernel process is closed");
    const message = new Uint8Array(4 + request.length);
    new DataView(message.buffer).setUint32(0, request.length, true);
    message.set(request, 4);
    for (let sent = 0; sent < message.length; ) sent += writeSync(this.requests, message, sent);
    this.readExactly(this.header);
    const bytes = new Uint8Array(this.headerView.getUint32(0, true) - 4);
    this.readExactly(bytes);
    return { result: this.headerView.getInt32(4, true), bytes };
  }

  /** Ends the process, and with it all its maps. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    closeSync(this.requests);
    closeSync(this.responses);
  }

  private readExactly(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) {
      const count = readSync(this.responses, bytes, done, bytes.length - done, null);
      if (count === 0) throw new Error("the kernel process ended before it answered");
      done += count;
    }
  }
}
