/** Guests: one that runs a program to its end, and one that serves requests. */

import { type ChildProcess, spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { type Ending, problemOf, readinessOf } from "./console.ts";
import { type Machine, qemuParameters, SHARED_BYTES } from "./machine.ts";
import { BUILD } from "./packages.ts";
import type { Supervision } from "./supervisor.ts";

const SUPERVISOR = join(import.meta.dirname, "supervisor.ts");
const LOGS = join(BUILD, "logs");

export interface GuestOptions {
  readonly image: string;
  readonly initramfs: Uint8Array;
  /** Name of the console's log under `build/vm/logs`. */
  readonly name: string;
  /** All that the guest may take, in seconds. */
  readonly deadline_s: number;
  /** Added to the kernel's command line. */
  readonly parameters?: readonly string[];
  /** Memory of the guest; default 512. */
  readonly memory_mib?: number;
  /** What one request may take, in seconds; default 60. */
  readonly answer_s?: number;
}

/** What came of a guest, and the console's log in a file. */
export interface GuestResult {
  readonly ending: Ending;
  readonly log: string;
  readonly text: string;
}

/** A program of a guest (`["/bin/true", ...]`) and how init runs it; see guest/init.c. */
export interface GuestCommand {
  readonly mode: "run" | "limited" | "locked";
  readonly program: readonly string[];
}

/** Boots, runs programs one after another, and waits for the end. */
export async function runInGuest(
  options: GuestOptions,
  ...commands: readonly GuestCommand[]
): Promise<GuestResult> {
  const words = commands.flatMap(({ mode, program }, index) => [
    ...(index === 0 ? [] : ["then"]),
    mode,
    ...program,
  ]);
  const guest = start(options, words, false);
  try {
    const ending = await guest.ending;
    return { ending, log: guest.log, text: textOf(guest.log) };
  } finally {
    guest.removeFiles();
  }
}

export interface ServingGuest {
  readonly release: string;
  readonly cpus: number;
  /** From the start of QEMU to the first process's word, in milliseconds. */
  readonly boot_ms: number;
  /** The shared file. */
  readonly memory: string;
  readonly log: string;
  readonly ending: Promise<Ending>;
  removeFiles(): void;
}

/** Boots a guest that serves. Throws, after the guest has ended, where it does not come up. */
export async function startServing(options: GuestOptions): Promise<ServingGuest> {
  const started_ms = performance.now();
  const guest = start(options, ["serve"], true);
  let ending: Ending | undefined;
  void guest.ending.then((value) => {
    ending = value;
  });
  for (;;) {
    const ready = readinessOf(textOf(guest.log));
    if (ready !== undefined) {
      return { ...guest, ...ready, boot_ms: performance.now() - started_ms };
    }
    if (ending !== undefined) {
      guest.removeFiles();
      throw new Error(`${problemOf(ending) ?? "the guest ended early"}; console: ${guest.log}`);
    }
    await wait(20);
  }
}

function start(options: GuestOptions, parameters: readonly string[], serves: boolean) {
  mkdirSync(LOGS, { recursive: true });
  const folder = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "tapio-vm-"));
  const log = join(LOGS, `${options.name}.log`);
  rmSync(log, { force: true });
  const [initramfs, memory] = [join(folder, "initramfs"), join(folder, "memory")];
  writeFileSync(initramfs, options.initramfs);
  if (serves) {
    writeFileSync(memory, "");
    truncateSync(memory, SHARED_BYTES);
  }
  const machine: Machine = {
    image: options.image,
    initramfs,
    console: log,
    arguments: parameters,
    ...(options.parameters === undefined ? {} : { parameters: options.parameters }),
    ...(options.memory_mib === undefined ? {} : { memory_mib: options.memory_mib }),
    ...(serves ? { memory } : {}),
  };
  const supervision: Supervision = {
    qemu: qemuParameters(machine),
    console: log,
    deadline_s: options.deadline_s,
    answer_s: options.answer_s ?? 60,
    ...(serves ? { memory } : {}),
  };
  const child = spawn(process.execPath, [SUPERVISOR, JSON.stringify(supervision)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const removeFiles = () => rmSync(folder, { recursive: true, force: true });
  return { memory, log, ending: endingFrom(child), removeFiles };
}

async function endingFrom(child: ChildProcess): Promise<Ending> {
  let said = "";
  child.stdout!.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  await new Promise((resolve) => child.on("close", resolve));
  return said === "" ? { kind: "silent" } : (JSON.parse(said) as Ending);
}

function textOf(log: string): string {
  return existsSync(log) ? readFileSync(log, "latin1") : "";
}
