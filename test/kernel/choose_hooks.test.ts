/** Which of several hooks a program gets on the running kernel, and what is said of those it does not get. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { DEFAULT_CONFIG } from "#core/config/config.ts";
import { BpfError, ERRNO } from "#core/errors.ts";
import { COLLECTORS, type CollectorSpec, type HookSpec } from "#core/events/collectors.ts";
import { chooseHooks } from "#kernel/choose_hooks.ts";
import { runKernel } from "../../cli/run/kernel.ts";
import { formatReport } from "../../cli/run/report.ts";
import { compileBpf } from "../support/clang.ts";
import { observing } from "../support/observing.ts";
import { thrown } from "../support/thrown.ts";
import { describeNative, withBackend } from "./native.ts";

const TCP = COLLECTORS.get("tcp")!;
const SYSCALL = COLLECTORS.get("syscall")!;
const NOT_BEFORE = "99.0";

/** Over `test/kernel/hooks.bpf.c`. */
const CHAIN: readonly HookSpec[] = [
  { kind: "fentry", function: "on_fentry" },
  { kind: "kprobe", function: "on_kprobe" },
  { kind: "tracepoint", function: "on_tracepoint" },
];

/** The collector with hooks of these kinds held back. */
function without(spec: CollectorSpec, ...kinds: readonly string[]): CollectorSpec {
  const programs = spec.programs.map((program) => ({
    ...program,
    hooks: program.hooks.map((hook) =>
      kinds.includes(hook.kind) ? { ...hook, minKernel: NOT_BEFORE } : hook,
    ),
  }));
  return { ...spec, programs };
}

describeNative("hooks of a program", () => {
  const hooks = () => compileBpf("test/kernel/hooks.bpf.c");

  it("fentry, else a kprobe, else a tracepoint: the first that attaches by itself", () =>
    withBackend((backend) => {
      const attaches = ({ function: name }: HookSpec): boolean => {
        const object = backend.open(hooks(), { name: "hooks", programs: [name] });
        try {
          object.load();
          object.programs.get(name)!.attach();
          return true;
        } catch {
          return false;
        } finally {
          object.close();
        }
      };
      const first = CHAIN.findIndex(attaches);
      const [chosen] = chooseHooks(backend, hooks(), observing(...CHAIN));
      expect(chosen).toMatchObject({
        collector: "test",
        program: "reads",
        function: CHAIN[first]!.function,
      });
      expect(chosen!.refused.map(({ hook }) => hook)).toEqual(
        ["fentry/ksys_read", "kprobe/ksys_read"].slice(0, first),
      );
      for (const { reason } of chosen!.refused) expect(reason).toMatch(/CONFIG_\w+.*: use a /);
    }));

  it("a variant that the verifier refuses is passed over", () =>
    withBackend((backend) => {
      const source = `
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
SEC("raw_tp/sys_enter")
int faulty(struct bpf_raw_tracepoint_args *context)
{
  return *(int *)context->args[0];
}
SEC("raw_tp/absent_here")
int absent(void *context) { return 0; }
SEC("raw_tp/sys_enter")
int sound(void *context) { return 0; }
char LICENSE[] SEC("license") = "GPL";
`;
      const variants = ["faulty", "absent", "sound"].map(
        (name): HookSpec => ({ kind: "raw_tracepoint", function: name }),
      );
      const [chosen] = chooseHooks(backend, compileBpf(source), observing(...variants));
      expect(chosen).toMatchObject({ function: "sound", hook: "raw_tp/sys_enter" });
      expect(chosen!.refused.map(({ reason }) => reason)).toEqual([
        expect.stringMatching(/^load program faulty: R\d+ invalid mem access/),
        expect.stringMatching(/^attach raw_tracepoint absent_here: .*ENOENT/),
      ]);
    }));

  it("with none left the error names them all, and the last one's reason", () =>
    withBackend((backend) => {
      const spec = without(TCP, "tp_btf", "raw_tracepoint", "tracepoint");
      const object = readFileSync(`build/bpf/${TCP.object}`);
      const error = thrown(() => chooseHooks(backend, object, spec));
      expect(error.message).toBe(
        "hook of tcp_state: none of tp_btf/inet_sock_set_state, raw_tp/inet_sock_set_state, " +
          "tp/sock/inet_sock_set_state can be used; of the last, exact counts by tracepoint: " +
          "needs Linux 99.0 or newer",
      );
    }));

  it("a kind that a program does not have is refused", () =>
    withBackend((backend) => {
      const error = thrown(() => chooseHooks(backend, hooks(), observing(...CHAIN), "uprobe"));
      expect(error.message).toBe(
        "hooks uprobe: program reads has no such variant; take hooks: auto, or one of fentry, kprobe, tracepoint",
      );
    }));

  it("a kind that the kernel lacks is refused where it is forced", () =>
    withBackend((backend) => {
      const object = readFileSync(`build/bpf/${TCP.object}`);
      const error = thrown(() => chooseHooks(backend, object, without(TCP, "tp_btf"), "tp_btf"));
      expect(error.message).toBe(
        "hooks tp_btf: not for tcp_state: exact counts by tp_btf: needs Linux 99.0 or newer; " +
          "or take hooks: auto",
      );
    }));

  it("what is no matter of hooks ends the choice", () =>
    withBackend((backend) => {
      const open = backend.open.bind(backend);
      let opened = 0;
      for (const errno of [ERRNO.EPERM, ERRNO.ENOMEM]) {
        backend.open = (...args) => {
          const object = open(...args);
          object.load = () => {
            opened += 1;
            throw new BpfError("load hooks", "refused", { errno });
          };
          return object;
        };
        expect(thrown(() => chooseHooks(backend, hooks(), observing(...CHAIN))).errno).toBe(errno);
      }
      expect(opened).toBe(2);
    }));
});

describeNative("a run", () => {
  it.each([
    [[], "tp_btf/sys_exit", []],
    [["tp_btf"], "raw_tp/sys_exit", ["tp_btf/sys_exit"]],
    [
      ["tp_btf", "raw_tracepoint"],
      "tp/raw_syscalls/sys_exit",
      ["tp_btf/sys_exit", "raw_tp/sys_exit"],
    ],
  ])("without %j attaches by %s, says so and closes its books", async (missing, hook, refused) => {
    const report = await runKernel({
      collectors: [without(SYSCALL, ...missing)],
      sinks: [],
      config: DEFAULT_CONFIG,
      duration_s: 0.2,
    });
    expect(report.hooks!.map(({ program }) => program)).toEqual(["syscall_enter", "syscall_exit"]);
    const exit = report.hooks![1]!;
    expect(exit.hook).toBe(hook);
    expect(exit.refused.map((other) => other.hook)).toEqual(refused);
    expect(report.books.seen).toBeGreaterThan(0);
    expect(report.books.residual).toBe(0);
    const line = formatReport(report).split("\n").at(-1)!;
    expect(line).toMatch(new RegExp(`^  syscall/syscall_exit: ${hook}`));
    for (const other of refused) {
      expect(line).toContain(`; not ${other}: exact counts by `);
      expect(line).toContain("needs Linux 99.0 or newer");
    }
  });
});
