/** Every kind of hook on the running kernel: attached, triggered by this process, detached. */

import { createSocket } from "node:dgram";
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { ERRNO, NotSupportedError } from "#core/errors.ts";
import type { AttachTarget } from "#kernel/attach.ts";
import type { KernelBackend } from "#kernel/backend.ts";
import { compileBpf } from "../support/clang.ts";
import { thrown } from "../support/thrown.ts";
import { describeNative, withBackend } from "./native.ts";

const HOOKS = [
  "on_tracepoint",
  "on_raw_tracepoint",
  "on_tp_btf",
  "on_kprobe",
  "on_kretprobe",
  "on_fentry",
  "on_fexit",
  "on_uprobe",
  "on_uretprobe",
  "on_xdp",
  "on_tc",
  "on_cgroup",
  "on_perf_event",
] as const;
type Hook = (typeof HOOKS)[number];

function open(backend: KernelBackend, program: string) {
  const object = backend.open(compileBpf("test/kernel/hooks.bpf.c"), {
    name: "hooks",
    programs: [program],
    constants: { watched_pid: process.pid },
  });
  object.load();
  const runs = new BigUint64Array(object.maps.get("runs")!.memory().buffer);
  return {
    program: object.programs.get(program)!,
    runs: (hook: Hook) => runs[HOOKS.indexOf(hook)]!,
  };
}

/** Attaches, triggers until the program ran, detaches, and sees that it runs no more. */
async function checkHook(
  hook: Hook,
  target: AttachTarget,
  trigger: () => void | Promise<void>,
): Promise<void> {
  await withBackend(async (backend) => {
    const { program, runs } = open(backend, hook);
    const link = program.attach(target);
    expect(link.description).not.toBe("");
    for (let attempt = 0; attempt < 100 && runs(hook) === 0n; attempt++) await trigger();
    expect(runs(hook)).toBeGreaterThan(0n);
    link.close();
    link.close();
    // A run that was under way when the link closed may still end.
    await sleep(20);
    const after = runs(hook);
    await trigger();
    expect(runs(hook)).toBe(after);
  });
}

const readFile = (): void => void readFileSync("/proc/self/stat");

async function sendPacket(): Promise<void> {
  const socket = createSocket("udp4");
  await new Promise((resolve) => socket.send("x", 9, "127.0.0.1", resolve));
  socket.close();
  await sleep(5);
}

/** The file that `getpid` of this process lies in. */
function cLibrary(): string {
  const maps = readFileSync("/proc/self/maps", "utf8");
  return /\S*\/libc\.so\.6$/m.exec(maps)![0];
}

/** Calls getpid from C: a child of this process would have another PID. */
const callGetpid = (): void => void process.getuid?.();

function cgroup2(): string | undefined {
  return /^\S+ (\S+) cgroup2 /m.exec(readFileSync("/proc/mounts", "utf8"))?.[1];
}

/** Kinds that some kernels lack: either the hook works, or the error names the feature. */
async function checkOptionalHook(hook: Hook): Promise<void> {
  const refusal = await withBackend((backend) => {
    try {
      open(backend, hook).program.attach();
    } catch (error) {
      return error;
    }
    return undefined;
  });
  if (refusal === undefined) return checkHook(hook, {}, readFile);
  expect(refusal).toBeInstanceOf(NotSupportedError);
  expect((refusal as NotSupportedError).feature).toContain(hook.slice("on_".length));
  expect((refusal as NotSupportedError).hint).toMatch(/CONFIG_/);
}

describeNative("hooks", () => {
  it.each(["on_raw_tracepoint", "on_tp_btf"] as const)("%s", (hook) =>
    checkHook(hook, {}, readFile),
  );

  it("on_tracepoint", () => {
    // Node keeps its PID, so the call is one of a program that asks again.
    return withBackend((backend) => {
      const { program } = open(backend, "on_tracepoint");
      const link = program.attach();
      expect(link.description).toBe("tracepoint syscalls/sys_enter_getpid");
      link.close();
    });
  });

  it.each(["on_kprobe", "on_kretprobe", "on_fentry", "on_fexit"] as const)(
    "%s, where the kernel has it",
    checkOptionalHook,
  );

  it.each(["on_uprobe", "on_uretprobe"] as const)("%s, in the C library", (hook) =>
    checkHook(hook, { binary: cLibrary(), function: "getuid", pid: process.pid }, callGetpid),
  );

  it("on_xdp, on an interface", () => checkHook("on_xdp", { interface: "lo" }, sendPacket));

  it("on_tc, incoming and outgoing", async () => {
    await checkHook("on_tc", { interface: "lo" }, sendPacket);
    await checkHook("on_tc", { interface: "lo", direction: "egress" }, sendPacket);
  });

  it("on_cgroup, for a process of the cgroup and no other", async () => {
    const root = cgroup2();
    if (root === undefined) return;
    const folder = `${root}/tapio-test-${process.pid}`;
    mkdirSync(folder);
    const join = (to: string) => writeFileSync(`${to}/cgroup.procs`, String(process.pid));
    const home = `${root}${/^0::(.*)$/m.exec(readFileSync("/proc/self/cgroup", "utf8"))![1]}`;
    join(folder);
    try {
      await checkHook("on_cgroup", { cgroup: folder }, sendPacket);
    } finally {
      join(home);
      rmdirSync(folder);
    }
  });

  it("on_perf_event, on the CPUs this process runs on", () =>
    checkHook("on_perf_event", { frequency_hz: 1000, pid: process.pid, cpu: -1 }, () => {
      const end_ms = performance.now() + 20;
      while (performance.now() < end_ms);
    }));

  it("iter/task prints a line for every thread", () =>
    withBackend((backend) => {
      const object = backend.open(compileBpf("test/kernel/hooks.bpf.c"), { programs: ["on_task"] });
      object.load();
      const text = new TextDecoder().decode(
        object.programs.get("on_task")!.attach().readIterator(),
      );
      expect(text.split("\n").filter((line) => line === "task").length).toBeGreaterThan(10);
    }));
});

describeNative("attaching", () => {
  const refused = (program: string, target: AttachTarget) =>
    withBackend((backend) => {
      const error = thrown(() => open(backend, program).program.attach(target));
      expect(error.message).not.toContain("\n");
      expect(error.hint).not.toBe("");
      return error;
    });

  it("an XDP program needs an interface that exists", async () => {
    expect((await refused("on_xdp", {})).errno).toBe(ERRNO.EINVAL);
    expect((await refused("on_xdp", { interface: "absent0" })).errno).toBe(ERRNO.ENOENT);
    expect((await refused("on_xdp", { interface: "../../x" })).errno).toBe(ERRNO.ENOENT);
  });

  it("a cgroup program needs a folder that exists", async () => {
    expect((await refused("on_cgroup", { cgroup: "/absent" })).errno).toBe(ERRNO.ENOENT);
  });

  it("to a tracepoint that the kernel does not have names it", () =>
    withBackend((backend) => {
      const source = `
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
SEC("tp/sched/absent_here")
int absent(void *context) { return 0; }
char LICENSE[] SEC("license") = "GPL";
`;
      const object = backend.open(compileBpf(source));
      object.load();
      const error = thrown(() => object.programs.get("absent")!.attach());
      expect(error).toBeInstanceOf(NotSupportedError);
      expect(error.message).toContain("tracepoint sched/absent_here");
    }));
});
