/** Attaching programs: by their section where that says it all, else to a target that is given. */
import { closeSync, openSync } from "node:fs";
import type { ProgramKind } from "#core/backend.ts";
import { BpfError, ERRNO } from "#core/errors.ts";
import type { Addon, NativeLink, NativeObject, Outcome } from "./addon.ts";
import { interfaceIndex } from "./interfaces.ts";
import { attachError } from "./load_error.ts";
import { explainMissing } from "./probes.ts";

/** Where to attach, beyond what the section says. */
export interface AttachTarget {
  /** Network interface by name: xdp, tc. */
  readonly interface?: string;
  /** tc: incoming (the default, unless the section says egress) or outgoing packets. */
  readonly direction?: "ingress" | "egress";
  /** Folder of a cgroup (version 2): cgroup programs. */
  readonly cgroup?: string;
  /** uprobe, uretprobe and usdt: the binary, where the section does not name it. */
  readonly binary?: string;
  /** uprobe, uretprobe: a function of the binary, or `offset` bytes into the file. */
  readonly function?: string;
  readonly offset?: number;
  /** usdt. */
  readonly provider?: string;
  readonly probe?: string;
  /** uprobe, usdt, perf_event: only this process; default all. */
  readonly pid?: number;
  /** perf_event: the CPU; default 0. */
  readonly cpu?: number;
  /** perf_event: samples a second of the CPU clock; default 99. */
  readonly frequency_hz?: number;
}

interface AttachableProgram {
  readonly name: string;
  readonly section: string;
  readonly kind: ProgramKind;
  readonly target: string;
}

export interface AttachedLink {
  readonly link: NativeLink;
  readonly description: string;
}

type Attempt = readonly [description: string, outcome: Outcome & { readonly link?: NativeLink }];

const PERF_TYPE_SOFTWARE = 1;
const PERF_COUNT_SW_CPU_CLOCK = 0;
const FREQUENCY_DEFAULT_HZ = 99;
const ALL_PROCESSES = -1;

/** Throws `BpfError`, or `NotSupportedError` where a probe shows that the kernel lacks the hook. */
export function attachTo(
  addon: Addon,
  object: NativeObject,
  program: AttachableProgram,
  target: AttachTarget,
): AttachedLink {
  const [description, outcome] = attempt(addon, object, program, target);
  if (outcome.link !== undefined) return { link: outcome.link, description };
  throw (
    explainMissing(addon, program.kind, program.target) ??
    attachError(description, outcome.status, outcome.log)
  );
}

function attempt(
  addon: Addon,
  object: NativeObject,
  program: AttachableProgram,
  target: AttachTarget,
): Attempt {
  const { name, kind, section } = program;
  switch (kind) {
    case "xdp": {
      const name_ = required(program, target.interface, "interface");
      return [`xdp ${name_}`, addon.attachXdp(object, name, interfaceIndex(name_))];
    }
    case "tc": {
      const name_ = required(program, target.interface, "interface");
      const direction = target.direction ?? (section.endsWith("egress") ? "egress" : "ingress");
      const index = interfaceIndex(name_);
      const outcome = addon.attachTc(object, name, index, direction === "egress");
      return [`tc ${name_} ${direction}`, outcome];
    }
    case "cgroup":
      return attachCgroup(addon, object, program, required(program, target.cgroup, "cgroup"));
    case "perf_event":
      return attachPerfEvent(addon, object, name, target);
    case "uprobe":
    case "uretprobe":
      if (target.binary !== undefined) return attachUprobe(addon, object, program, target);
      break;
    case "usdt":
      if (target.binary !== undefined) return attachUsdt(addon, object, program, target);
      break;
    case "socket":
    case "syscall":
      throw new BpfError(`attach program ${name}`, `a ${kind} program attaches to nothing`, {
        errno: ERRNO.EINVAL,
        hint: "run it with run()",
      });
  }
  return [`${kind} ${program.target}`, addon.attachSection(object, name)];
}

function attachCgroup(
  addon: Addon,
  object: NativeObject,
  { name, section }: AttachableProgram,
  folder: string,
): Attempt {
  let fd: number;
  try {
    fd = openSync(folder, "r");
  } catch (cause) {
    throw new BpfError(`attach program ${name}`, `cannot open the cgroup ${folder}`, {
      errno: ERRNO.ENOENT,
      hint: "name a folder of the cgroup2 file system",
      cause,
    });
  }
  try {
    return [`${section} ${folder}`, addon.attachCgroup(object, name, fd)];
  } finally {
    closeSync(fd);
  }
}

function attachPerfEvent(
  addon: Addon,
  object: NativeObject,
  name: string,
  target: AttachTarget,
): Attempt {
  const { cpu = 0, pid = ALL_PROCESSES, frequency_hz = FREQUENCY_DEFAULT_HZ } = target;
  const outcome = addon.attachPerfEvent(
    object,
    name,
    PERF_TYPE_SOFTWARE,
    PERF_COUNT_SW_CPU_CLOCK,
    frequency_hz,
    pid,
    cpu,
  );
  return [`perf_event cpu-clock ${frequency_hz} Hz on CPU ${cpu}`, outcome];
}

function attachUprobe(
  addon: Addon,
  object: NativeObject,
  { name, kind }: AttachableProgram,
  target: AttachTarget,
): Attempt {
  const { binary = "", function: functionName = "", offset = 0, pid = ALL_PROCESSES } = target;
  const retprobe = kind === "uretprobe";
  const outcome = addon.attachUprobe(object, name, pid, binary, functionName, offset, retprobe);
  return [`${kind} ${binary}:${functionName}+${offset}`, outcome];
}

function attachUsdt(
  addon: Addon,
  object: NativeObject,
  program: AttachableProgram,
  target: AttachTarget,
): Attempt {
  const provider = required(program, target.provider, "provider");
  const probe = required(program, target.probe, "probe");
  const { binary = "", pid = ALL_PROCESSES } = target;
  const outcome = addon.attachUsdt(object, program.name, pid, binary, provider, probe);
  return [`usdt ${binary}:${provider}:${probe}`, outcome];
}

function required(
  { name, kind }: AttachableProgram,
  value: string | undefined,
  what: keyof AttachTarget,
): string {
  if (value !== undefined) return value;
  throw new BpfError(`attach program ${name}`, `a ${kind} program needs to know its ${what}`, {
    errno: ERRNO.EINVAL,
    hint: `attach({ ${what}: ... })`,
  });
}
