/**
 * What this machine's kernel can do, found out by trying; and why something failed, found out after
 * it did. Only answers that are certain are kept.
 */
import { existsSync, readFileSync } from "node:fs";
import { release } from "node:os";
import { MAP_TYPE, type ProgramKind } from "#core/backend.ts";
import { ERRNO, NotSupportedError } from "#core/errors.ts";
import { type Addon, addonPath, loadAddon } from "./addon.ts";
import { kernelAtLeast } from "./kernel_version.ts";
import { lockdownMode, lockedMemoryLimit, missingCapabilities } from "./privileges.ts";

/** Where kernels offer their own BTF. */
export const KERNEL_BTF = "/sys/kernel/btf/vmlinux";
const TRACEFS = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"];

/** Folder of the tracing file system; undefined where it is not mounted. */
export function tracefsFolder(): string | undefined {
  return TRACEFS.find((folder) => existsSync(`${folder}/events`));
}

/** First kernel that has a hook. */
const MIN_KERNEL: Partial<Record<ProgramKind, string>> = {
  fentry: "5.5",
  fexit: "5.5",
  tp_btf: "5.5",
  iter: "5.8",
};

/** Numbers of `enum bpf_prog_type`. */
const PROGRAM_TYPE: Partial<Record<ProgramKind, number>> = {
  socket: 1,
  kprobe: 2,
  kretprobe: 2,
  uprobe: 2,
  uretprobe: 2,
  usdt: 2,
  tc: 3,
  tracepoint: 5,
  xdp: 6,
  perf_event: 7,
  cgroup: 8,
  raw_tracepoint: 17,
  tp_btf: 26,
  fentry: 26,
  fexit: 26,
  iter: 26,
  syscall: 31,
};

const answers = new Map<string, boolean>();

function remembered(name: string, probe: () => number): boolean | undefined {
  const known = answers.get(name);
  if (known !== undefined) return known;
  const answer = probe();
  if (answer < 0) return undefined;
  answers.set(name, answer > 0);
  return answer > 0;
}

/** Whether programs of this kind load; undefined where the kernel does not let us find out. */
export function supportsProgramKind(addon: Addon, kind: ProgramKind): boolean | undefined {
  const type = PROGRAM_TYPE[kind];
  if (type === undefined) return undefined;
  return remembered(`program ${type}`, () => addon.probeProgramType(type));
}

export function supportsMapType(addon: Addon, type: number): boolean | undefined {
  return remembered(`map ${type}`, () => addon.probeMapType(type));
}

/** Kinds that hook themselves into kernel code, and what a kernel needs for that. */
const CODE_HOOKS: Partial<Record<ProgramKind, string>> = {
  fentry: "BPF trampolines on this architecture (CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS)",
  fexit: "BPF trampolines on this architecture (CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS)",
};

/** Kinds that are perf events of a device, which exists where the kernel was built with it. */
const PERF_DEVICE: Partial<Record<ProgramKind, readonly [device: string, option: string]>> = {
  kprobe: ["kprobe", "CONFIG_KPROBE_EVENTS"],
  kretprobe: ["kprobe", "CONFIG_KPROBE_EVENTS"],
  uprobe: ["uprobe", "CONFIG_UPROBE_EVENTS"],
  uretprobe: ["uprobe", "CONFIG_UPROBE_EVENTS"],
  usdt: ["uprobe", "CONFIG_UPROBE_EVENTS"],
};

/**
 * Why a program of this kind cannot load or attach here at all, asked after it failed; undefined
 * where nothing speaks against it.
 */
export function explainMissing(
  addon: Addon,
  kind: ProgramKind,
  target: string,
): NotSupportedError | undefined {
  const minKernel = MIN_KERNEL[kind];
  if (minKernel !== undefined) {
    if (!kernelAtLeast(minKernel)) return new NotSupportedError(`${kind} programs`, minKernel);
    if (!existsSync(KERNEL_BTF)) return unsupported(kind, KERNEL_WITHOUT_BTF);
  }
  const needs = CODE_HOOKS[kind];
  if (needs !== undefined && supportsProgramKind(addon, kind) === false) {
    return unsupported(kind, `the kernel lacks ${needs}: use a tracepoint or a kprobe`);
  }
  const [device, option] = PERF_DEVICE[kind] ?? [];
  if (device !== undefined && !existsSync(`/sys/bus/event_source/devices/${device}`)) {
    return unsupported(kind, `the kernel is built without ${option}: use a tracepoint`);
  }
  if (kind !== "tracepoint") return undefined;
  const folder = tracefsFolder();
  if (folder === undefined) return unsupported(kind, MOUNT_TRACEFS);
  if (existsSync(`${folder}/events/${target}`)) return undefined;
  return new NotSupportedError(`tracepoint ${target}`, "", "this kernel does not have it");
}

function unsupported(kind: ProgramKind, hint: string): NotSupportedError {
  return new NotSupportedError(`attaching ${kind} programs`, "", hint);
}

const MOUNT_TRACEFS =
  "the tracing file system is not mounted: mount -t tracefs tracefs /sys/kernel/tracing";
const KERNEL_WITHOUT_BTF =
  "this kernel has no BTF: use one built with CONFIG_DEBUG_INFO_BTF, or give its BTF as a file";

export interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** What was found, or what to do. */
  readonly detail: string;
}

/** Everything that the kernel backend needs, checked in the order in which it is needed. */
export function checkMachine(): Check[] {
  const checks = checkKernel();
  return process.platform === "linux" ? [...checks, ...checkBackend()] : checks;
}

function checkKernel(): Check[] {
  const checks: Check[] = [];
  const check = (name: string, ok: boolean, found: string, remedy: string): boolean => {
    checks.push({ name, ok, detail: ok ? found : remedy });
    return ok;
  };
  const linux = process.platform === "linux";
  if (!check("Linux", linux, release(), "the kernel backend needs Linux; use --backend wasm")) {
    return checks;
  }
  check("kernel", kernelAtLeast("5.10"), release(), `needs Linux 5.10, this is ${release()}`);
  const missing = missingCapabilities();
  const remedy = `run as root, or with ${missing.join(" and ")}`;
  check("permissions", missing.length === 0, "may load BPF programs", remedy);
  check("kernel BTF", existsSync(KERNEL_BTF), KERNEL_BTF, KERNEL_WITHOUT_BTF);
  check("tracefs", tracefsFolder() !== undefined, tracefsFolder() ?? "", MOUNT_TRACEFS);
  return checks;
}

/** Locks, limits, the addon, and whether bpf(2) answers. */
export function checkBackend(): Check[] {
  const checks: Check[] = [];
  const check = (name: string, ok: boolean, found: string, remedy: string): boolean => {
    checks.push({ name, ok, detail: ok ? found : remedy });
    return ok;
  };
  const lockdown = lockdownMode();
  const locked = "the kernel is locked down: boot without lockdown=confidentiality";
  check("lockdown", lockdown !== "confidentiality", lockdown, locked);
  const enough = kernelAtLeast("5.11") || lockedMemoryLimit() === Number.POSITIVE_INFINITY;
  check("locked memory", enough, "not limited", "raise the limit: ulimit -l unlimited");
  const built = addonPath() !== undefined;
  const build = "not built: install g++ and libbpf-dev and run npm run setup";
  if (check("addon", built, "built", build)) checks.push(...tryToUse());
  return checks;
}

function tryToUse(): Check[] {
  try {
    const addon = loadAddon();
    const map = addon.createMap("doctor", MAP_TYPE.array, 4, 8, 1, 0, 0);
    if (typeof map === "number") return [refusal("bpf(2)", -map)];
    map.close();
    const ring = supportsMapType(addon, MAP_TYPE.ringbuf) === true;
    return [
      { name: "bpf(2)", ok: true, detail: `libbpf ${addon.libraryVersion().replace(/^v/, "")}` },
      { name: "ring buffers", ok: ring, detail: ring ? jitState() : "needs Linux 5.8" },
    ];
  } catch (error) {
    return [{ name: "addon", ok: false, detail: (error as Error).message }];
  }
}

function refusal(name: string, errno: number): Check {
  const why = errno === ERRNO.EPERM ? "not permitted" : `errno ${errno}`;
  return { name, ok: false, detail: `creating a map fails: ${why}; run as root` };
}

/** How the kernel executes programs. */
export function kernelEngine(): "jit" | "interpreter" {
  try {
    const enabled = readFileSync("/proc/sys/net/core/bpf_jit_enable", "utf8").trim();
    return enabled === "0" ? "interpreter" : "jit";
  } catch {
    // Kernels that always compile do not offer the switch.
    return "jit";
  }
}

function jitState(): string {
  return kernelEngine() === "jit" ? "programs are compiled (JIT)" : "programs are interpreted";
}
