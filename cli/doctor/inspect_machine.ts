/** Looks at the machine; changes nothing, and leaves nothing loaded. */
import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { release } from "node:os";
import { delimiter, join } from "node:path";
import { checkBackend } from "#kernel/probes.ts";
import { artifactPath } from "../artifacts.ts";
import { inspectHooks } from "./inspect_hooks.ts";

export interface Finding {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  /** What to do where it is not ok; empty where nothing can be done. */
  readonly remedy: string;
  /** Needed for the wasm backend, which every machine should be able to run. */
  readonly required: boolean;
}

const CAPABILITY = { sys_admin: 21, perfmon: 38, bpf: 39 } as const;
/** First kernel that the collectors support. */
const KERNEL_MIN: readonly [number, number] = [5, 10];
const NODE_MIN: readonly [number, number] = [22, 19];

function atLeast(version: string, [major, minor]: readonly [number, number]): boolean {
  const [a = 0, b = 0] = version.split(".").map((part) => Number.parseInt(part, 10));
  return a > major || (a === major && b >= minor);
}

function effectiveCapabilities(): bigint {
  try {
    const line = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"));
    return BigInt(`0x${line?.[1] ?? "0"}`);
  } catch {
    return 0n;
  }
}

function hasCapability(bit: number): boolean {
  return ((effectiveCapabilities() >> BigInt(bit)) & 1n) === 1n;
}

function readable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

function onPath(name: string): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

function inspectNode(): Finding {
  const version = process.versions.node;
  return {
    name: "Node.js",
    ok: atLeast(version, NODE_MIN),
    detail: version,
    remedy: `install Node ${NODE_MIN.join(".")} or newer, or use npm run, which brings its own`,
    required: true,
  };
}

function inspectArtifact(name: string, file: string): Finding {
  const path = artifactPath(file);
  return {
    name,
    ok: existsSync(path),
    detail: existsSync(path) ? file : "not built",
    remedy: "run npm run setup",
    required: true,
  };
}

function inspectKernel(): Finding[] {
  const linux = process.platform === "linux";
  const privileged =
    hasCapability(CAPABILITY.sys_admin) ||
    (hasCapability(CAPABILITY.bpf) && hasCapability(CAPABILITY.perfmon));
  const btf = "/sys/kernel/btf/vmlinux";
  const tracefs = ["/sys/kernel/tracing/events", "/sys/kernel/debug/tracing/events"];
  const mounted = tracefs.find((path) => readable(path));
  const optional = { required: false };
  return [
    {
      name: "Linux 5.10 or newer",
      ok: linux && atLeast(release(), KERNEL_MIN),
      detail: linux ? release() : process.platform,
      remedy: "the kernel backend needs Linux 5.10; the wasm backend runs anywhere",
      ...optional,
    },
    {
      name: "may load BPF",
      ok: privileged,
      detail: privileged ? "CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN" : "missing capabilities",
      remedy: "run as root or grant CAP_BPF and CAP_PERFMON (before Linux 5.8: CAP_SYS_ADMIN)",
      ...optional,
    },
    {
      name: "kernel BTF",
      ok: readable(btf),
      detail: readable(btf) ? btf : "not found",
      remedy: "use a kernel built with CONFIG_DEBUG_INFO_BTF",
      ...optional,
    },
    {
      name: "tracepoints",
      ok: mounted !== undefined,
      detail: mounted ?? "tracefs is not mounted or not readable",
      remedy: "mount -t tracefs tracefs /sys/kernel/tracing",
      ...optional,
    },
  ];
}

/** What the kernel backend needs beyond the kernel: found out by using it, where it is built. */
function inspectKernelBackend(): Finding[] {
  if (process.platform !== "linux") return [];
  return checkBackend().map(({ name, ok, detail }) => ({
    name,
    ok,
    detail: ok ? detail : "no",
    remedy: ok ? "" : detail,
    required: false,
  }));
}

function inspectTool(name: string, executable: string, purpose: string, pack: string): Finding {
  const path = onPath(executable);
  return {
    name,
    ok: path !== undefined,
    detail: path ?? `${executable} not found`,
    remedy: `install ${pack} (${purpose})`,
    required: false,
  };
}

export function inspectMachine(): Finding[] {
  return [
    inspectNode(),
    inspectArtifact("wasm runtime", "wasm/runtime.wasm"),
    inspectArtifact("TCP collector", "bpf/tcp_monitor.bpf.o"),
    inspectArtifact("system call collector", "bpf/syscall_monitor.bpf.o"),
    ...inspectKernel(),
    ...inspectKernelBackend(),
    ...inspectHooks(),
    inspectTool("clang", "clang", "to rebuild the BPF objects", "clang"),
    inspectTool("emscripten", "emcc", "to rebuild the wasm runtime", "emscripten"),
    inspectTool("QEMU", "qemu-system-x86_64", "to test on other kernels", "qemu-system-x86"),
  ];
}
