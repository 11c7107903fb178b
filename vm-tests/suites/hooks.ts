/** Debian's kernels have every hook: what a program falls back to is decided by a function that is not there. */
import { expect, test } from "vitest";
import type { Backend } from "#core/backend.ts";
import { chooseHooks } from "#kernel/choose_hooks.ts";
import { compileBpf } from "../../test/support/clang.ts";
import { observing } from "../../test/support/observing.ts";

const TRACEPOINT = "tp/syscalls/sys_enter_read";

const sourceOf = (fentry: string, kprobe: string): string => `
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
SEC("${fentry}")
int by_fentry(void *context) { return 0; }
SEC("${kprobe}")
int by_kprobe(void *context) { return 0; }
SEC("${TRACEPOINT}")
int by_tracepoint(void *context) { return 0; }
char LICENSE[] SEC("license") = "GPL";
`;

const CHAIN = observing(
  { kind: "fentry", function: "by_fentry" },
  { kind: "kprobe", function: "by_kprobe" },
  { kind: "tracepoint", function: "by_tracepoint" },
);

export function hookSuite(backend: () => Backend): void {
  test.each([
    ["ksys_read", "ksys_read", "fentry/ksys_read"],
    ["absent_here", "ksys_read", "kprobe/ksys_read"],
    ["absent_here", "absent_here", TRACEPOINT],
  ])("a chain of fentry of %s, kprobe of %s and a tracepoint ends at %s", (entry, probe, hook) => {
    const sections = [`fentry/${entry}`, `kprobe/${probe}`, TRACEPOINT];
    const object = compileBpf(sourceOf(sections[0]!, sections[1]!));
    const [chosen] = chooseHooks(backend(), object, CHAIN);
    expect(chosen!.hook).toBe(hook);
    const refused = chosen!.refused.map((other) => other.hook);
    expect(refused).toEqual(sections.slice(0, sections.indexOf(hook)));
  });
}
