/** What this process may do, as the kernel says in /proc. */
import { readFileSync } from "node:fs";
import { ERRNO } from "#core/errors.ts";
import { kernelAtLeast } from "./kernel_version.ts";

/** Bits of `CapEff`. */
export const CAPABILITY = { SYS_ADMIN: 21, PERFMON: 38, BPF: 39 } as const;

function statusLine(name: string): string {
  const status = readFileSync("/proc/self/status", "utf8");
  return new RegExp(`^${name}:\\s*(.+)$`, "m").exec(status)?.[1]?.trim() ?? "";
}

export function hasCapability(bit: number): boolean {
  const effective = BigInt(`0x${statusLine("CapEff") || "0"}`);
  return ((effective >> BigInt(bit)) & 1n) === 1n;
}

/** Capabilities that tracing needs and this process lacks, by name. CAP_SYS_ADMIN covers them. */
export function missingCapabilities(): string[] {
  if (hasCapability(CAPABILITY.SYS_ADMIN)) return [];
  const needed = [
    ["CAP_BPF", CAPABILITY.BPF],
    ["CAP_PERFMON", CAPABILITY.PERFMON],
  ] as const;
  return needed.filter(([, bit]) => !hasCapability(bit)).map(([name]) => name);
}

/** Mode of kernel lockdown: `"none"`, `"integrity"`, `"confidentiality"`, or `"unknown"`. */
export function lockdownMode(): string {
  try {
    const modes = readFileSync("/sys/kernel/security/lockdown", "utf8");
    return /\[(\w+)\]/.exec(modes)?.[1] ?? "none";
  } catch {
    // Without securityfs nobody can say.
    return "unknown";
  }
}

/** `RLIMIT_MEMLOCK` in bytes, infinite where there is no limit. */
export function lockedMemoryLimit(): number {
  const limits = readFileSync("/proc/self/limits", "utf8");
  const soft = /^Max locked memory\s+(\S+)/m.exec(limits)?.[1];
  return soft === undefined || soft === "unlimited" ? Number.POSITIVE_INFINITY : Number(soft);
}

/** What to do about an errno of bpf(2) that is about permissions or limits. */
export function bpfHint(errno: number): string | undefined {
  if (errno === ERRNO.ENOMEM) return "free memory, or make maps smaller (maxEntries)";
  if (errno !== ERRNO.EPERM && errno !== ERRNO.EACCES) return undefined;
  const missing = missingCapabilities();
  if (missing.length > 0) {
    return `run as root, or with ${missing.join(" and ")}`;
  }
  const lockdown = lockdownMode();
  if (lockdown === "confidentiality") {
    return "the kernel is locked down: boot without lockdown=confidentiality";
  }
  if (Number.isFinite(lockedMemoryLimit()) && !kernelAtLeast("5.11")) {
    return "before Linux 5.11 maps count as locked memory: raise the limit (ulimit -l unlimited)";
  }
  return undefined;
}
