import { describe, expect, test } from "vitest";
import { endingOf, problemOf, readinessOf, splatOf } from "#vm-tests/harness/console.ts";

describe("how a guest ended", () => {
  test("an empty console is silent, and a failure", () => {
    expect(endingOf("")).toEqual({ kind: "silent" });
    expect(problemOf({ kind: "silent" })).toMatch(/without saying/);
  });

  test("the last exit line counts", () => {
    const log = "tapio-guest: exit 0\r\nnoise\r\ntapio-guest: exit 7\r\n";
    expect(endingOf(log)).toEqual({ kind: "exited", code: 7 });
  });

  test("an exit code inside another line is no exit code", () => {
    expect(endingOf("said tapio-guest: exit 0\n").kind).toBe("silent");
    expect(endingOf("tapio-guest: exit 0 and more\n").kind).toBe("silent");
  });

  test.each([
    "[    3.1] Kernel panic - not syncing: sysrq triggered crash",
    "[    3.1] BUG: kernel NULL pointer dereference, address: 0000000000000000",
    "[   29.0] watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [node:1]",
    "[   29.0] rcu: INFO: rcu_preempt self-detected stall on CPU",
    "[   29.0] WARNING: CPU: 1 PID: 7 at kernel/bpf/hashtab.c:222",
    "[   29.0] Out of memory: Killed process 7 (node)",
  ])("a complaint outweighs exit 0: %s", (line) => {
    expect(endingOf(`${line}\ntapio-guest: exit 0\n`)).toEqual({ kind: "splat", line });
  });

  test("harmless lines that resemble complaints are none", () => {
    const log = "clocksource: timekeeping watchdog on CPU1\nDEBUG: fine\nrcu: Preemptible RCU\n";
    expect(splatOf(log)).toBeUndefined();
  });

  test("advice of the verifier is no complaint, another warning after it is one", () => {
    const warning = "[   31.1] WARNING: CPU: 0 PID: 77 at kernel/bpf/verifier.c:10519 bpf_check";
    const advice = `[   31.1] trace type BPF program uses run-time allocation`;
    expect(splatOf(`${advice}\n${warning}\n`)).toBeUndefined();
    expect(splatOf(`${advice}\n${warning}\nnoise\n${warning}\n`)).toBe(warning);
  });

  test("readiness brings the release and the number of CPUs", () => {
    expect(readinessOf("\r\ntapio-guest: ready 6.12.1-cloud 2\r\n")).toEqual({
      release: "6.12.1-cloud",
      cpus: 2,
    });
    expect(readinessOf("tapio-guest: ready\n")).toBeUndefined();
  });
});
