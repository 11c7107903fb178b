/** A program on the real kernel. */

import { readFileSync } from "node:fs";
import { programStateError } from "#contract/state_errors.ts";
import type {
  Link,
  Program,
  ProgramInfo,
  ProgramKind,
  RunOptions,
  RunResult,
} from "#core/backend.ts";
import { BpfError, ERRNO, NotSupportedError } from "#core/errors.ts";
import type { ProgramSpec } from "#wasm/loader/object_spec.ts";
import type { Addon, NativeLink, NativeObject } from "./addon.ts";
import { type AttachTarget, attachTo } from "./attach.ts";
import { descriptorMemory } from "./map.ts";
import { pinDescriptor } from "./pin.ts";
import { bpfHint } from "./privileges.ts";

/** What `BPF_PROG_TEST_RUN` takes as its input, by kind; other kinds cannot run on request. */
const CONTEXT_INPUT: ReadonlySet<ProgramKind> = new Set(["raw_tracepoint", "syscall"]);
const DATA_INPUT: ReadonlySet<ProgramKind> = new Set(["xdp", "tc", "socket", "cgroup"]);

const ANY_CPU = -1;
const INFO_FIELDS = 6;

/** A link of the kernel backend. */
export interface KernelLink extends Link {
  /** What an `iter` program prints in one run over everything. EINVAL for other kinds. */
  readIterator(): Uint8Array;
  /**
   * Keeps the program attached beyond this process, until the file is removed (`unpin`) and the link
   * closed. EOPNOTSUPP where the kernel made no link for the hook: perf events before 5.15, TC.
   */
  pin(path: string): void;
}

export class KernelProgram implements Program {
  readonly name: string;
  readonly section: string;
  readonly kind: ProgramKind;
  readonly #addon: Addon;
  readonly #object: NativeObject;
  readonly #target: string;
  readonly #links = new Set<Link>();
  readonly #answer = new Uint32Array(2);
  #fd = -1;
  #closed = false;

  constructor(addon: Addon, object: NativeObject, spec: ProgramSpec) {
    this.name = spec.name;
    this.section = spec.section;
    this.kind = spec.kind;
    this.#target = spec.target;
    this.#addon = addon;
    this.#object = object;
  }

  /** The object was loaded. */
  setLoaded(): void {
    this.#fd = this.#object.programDescriptor(this.name);
  }

  get handle(): number {
    return this.#descriptor("get handle");
  }

  /** What the section names after its kind (`"sock/inet_sock_set_state"`). */
  get target(): string {
    return this.#target;
  }

  /** Where the section does not say it all (an interface, a cgroup, a process), `target` does. */
  attach(target: AttachTarget = {}): KernelLink {
    this.#descriptor("attach");
    const { link, description } = attachTo(this.#addon, this.#object, this, target);
    return this.#own(link, description);
  }

  #own(native: NativeLink, description: string): KernelLink {
    const link: KernelLink = {
      description,
      readIterator: () => readIterator(native, description),
      pin: (path) => pinLink(this.#addon, native, description, path),
      close: () => {
        this.#links.delete(link);
        native.close();
      },
    };
    this.#links.add(link);
    return link;
  }

  run(context: Uint8Array, options: RunOptions = {}): RunResult {
    const fd = this.#descriptor("run");
    const { cpu = ANY_CPU, repeat = 1 } = options;
    if (CONTEXT_INPUT.has(this.kind)) return this.#runWithContext(fd, context, cpu, repeat);
    if (!DATA_INPUT.has(this.kind)) {
      throw new NotSupportedError(
        `running a ${this.kind} program on request`,
        "",
        "only raw tracepoint, syscall, socket, tc, cgroup and XDP programs can be run so",
      );
    }
    if (cpu !== ANY_CPU) throw this.#runError(ERRNO.EINVAL, "its kind cannot choose the CPU");
    const status = this.#addon.runProgram(fd, 1, context, repeat, ANY_CPU, this.#answer);
    if (status !== 0) throw this.#runError(-status);
    return { returnValue: this.#answer[0]!, duration_ns: this.#answer[1]! };
  }

  /** The kernel neither repeats nor times these. */
  #runWithContext(fd: number, context: Uint8Array, cpu: number, repeat: number): RunResult {
    const started_ns = process.hrtime.bigint();
    for (let i = 0; i < repeat; i++) {
      const status = this.#addon.runProgram(fd, 0, context, 0, cpu, this.#answer);
      if (status !== 0) throw this.#runError(-status);
    }
    const elapsed_ns = Number(process.hrtime.bigint() - started_ns);
    return {
      returnValue: this.#answer[0]!,
      duration_ns: Math.floor(elapsed_ns / Math.max(1, repeat)),
    };
  }

  #runError(errno: number, problem = "the kernel refuses context or options"): BpfError {
    const hint = bpfHint(errno) ?? "check size and kind of the context, and the CPU";
    return new BpfError(`run program ${this.name}`, problem, { errno, hint });
  }

  info(): ProgramInfo {
    const fd = this.#descriptor("get info");
    const numbers = new Float64Array(INFO_FIELDS);
    const status = this.#addon.programInfo(fd, numbers);
    if (status !== 0) {
      throw new BpfError(`get info of program ${this.name}`, "the kernel does not answer", {
        errno: -status,
      });
    }
    return {
      id: numbers[0]!,
      instructions: numbers[1]!,
      runCount: numbers[2]!,
      runTime_ns: numbers[3]!,
      recursionMisses: numbers[4]!,
      verifiedInstructions: numbers[5]!,
      memoryBytes: descriptorMemory(fd),
    };
  }

  /** A file of a BPF file system through which others find the program (`unpin` removes it). */
  pin(path: string): void {
    pinDescriptor(this.#addon, this.#descriptor("pin"), `program ${this.name}`, path);
  }

  #descriptor(operation: string): number {
    if (this.#fd >= 0 && !this.#closed) return this.#fd;
    throw programStateError(operation, this.name, this.#closed);
  }

  close(): void {
    if (this.#closed) return;
    for (const link of [...this.#links]) link.close();
    this.#closed = true;
  }
}

function pinLink(addon: Addon, native: NativeLink, description: string, path: string): void {
  const fd = native.number();
  if (fd < 0) {
    throw new BpfError(`pin link to ${description}`, "the kernel made no link for this hook", {
      errno: ERRNO.EOPNOTSUPP,
      hint: "keep the process that attached it",
    });
  }
  pinDescriptor(addon, fd, `link to ${description}`, path);
}

function readIterator(native: NativeLink, description: string): Uint8Array {
  const descriptor = native.iterate();
  if (typeof descriptor === "number") {
    throw new BpfError(`read ${description}`, "it is no iterator", { errno: -descriptor });
  }
  try {
    return readFileSync(descriptor.number());
  } finally {
    descriptor.close();
  }
}
