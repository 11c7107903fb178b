/**
 * The command itself on a guest's kernel, in one boot: `record` under real TCP traffic, replayed here to
 * the same events; then what a kernel may refuse that the one under these tests does not.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { beforeAll, describe, expect, test } from "vitest";
import type { RunReport } from "#cli/run/report.ts";
import { GUEST_CODE, initLayer, nodeLayer, projectLayer } from "#vm-tests/harness/guest_layers.ts";
import { kernelNamed } from "#vm-tests/harness/kernels.ts";
import { fetchImage } from "#vm-tests/harness/packages.ts";
import { type GuestCommand, type GuestResult, runInGuest } from "#vm-tests/harness/qemu.ts";
import { expectSameEvents } from "./recorded_traffic.ts";

const kernel = kernelNamed(process.env["TAPIO_VM_KERNEL"] ?? "6.12");
const CONNECTIONS = "60";
const RUN = `/bin/node ${GUEST_CODE.cli} run --backend kernel --collector tcp --duration 1`;

const COMMANDS: readonly GuestCommand[] = [
  {
    mode: "run",
    program: ["/bin/node", GUEST_CODE.recordTraffic, GUEST_CODE.cli, "/tmp", CONNECTIONS],
  },
  { mode: "limited", program: RUN.split(" ") },
  // Last: there is no way back.
  { mode: "locked", program: RUN.split(" ") },
];

describe(`Linux ${kernel.version}`, () => {
  let result: GuestResult;
  beforeAll(async () => {
    const options = {
      image: fetchImage(kernel),
      initramfs: Buffer.concat([initLayer(), nodeLayer(), await projectLayer()]),
      name: `command-${kernel.name}`,
      deadline_s: 600,
      memory_mib: 1536,
    };
    result = await runInGuest(options, ...COMMANDS);
  }, 660_000);

  /** What a command said, up to the line that says its exit code. */
  function saidBy(mode: GuestCommand["mode"]): { text: string; code: number } {
    const end = new RegExp(`^tapio-guest: ${mode} ended with (\\d+)\\r?$`, "m").exec(result.text);
    if (end === null) throw new Error(`the guest did not come to "${mode}": ${result.log}`);
    const before = result.text.slice(0, end.index);
    const start = Math.max(0, before.lastIndexOf("tapio-guest: "));
    return { text: before.slice(start), code: Number(end[1]) };
  }

  /** Recordings are made at the events; what was seen live came straight from the tracepoints, from 6.1 on. */
  function expectDirectHooks({ hooks = [] }: RunReport): void {
    const names = ["inet_sock_set_state", "tcp_retransmit_skb"];
    const chosen = hooks.map(({ hook }) => hook);
    if (kernel.name !== "5.10") {
      expect(chosen).toEqual(names.map((name) => `tp_btf/${name}`));
      return;
    }
    expect(chosen).toEqual(["tp/sock/inet_sock_set_state", "tp/tcp/tcp_retransmit_skb"]);
    for (const [index, { refused }] of hooks.entries()) {
      expect(refused.map(({ hook }) => hook)).toEqual([
        `tp_btf/${names[index]}`,
        `raw_tp/${names[index]}`,
      ]);
      for (const { reason } of refused) expect(reason).toContain("needs Linux 6.1 or newer");
    }
  }

  const refusals = (text: string) =>
    text.split(/\r?\n/).filter((line) => line.startsWith("tapio-bpf: "));

  test("the guest ends by its own word", () => {
    expect(result.ending, result.log).toEqual({ kind: "exited", code: 1 });
  });

  test("recorded traffic replays to the events that were seen live", () => {
    const { text, code } = saidBy("run");
    expect(code, result.log).toBe(0);
    const folder = mkdtempSync(join(tmpdir(), "tapio-record-"));
    try {
      for (const [, name, base64] of text.matchAll(/^file (\S+) (\S+)\r?$/gm)) {
        writeFileSync(join(folder, name!), gunzipSync(Buffer.from(base64!, "base64")));
      }
      const [, ...ports] = /^ports (\d+) (\d+)/m.exec(text) ?? [];
      expectSameEvents(folder, ports.map(Number), kernel.version);
      const report = JSON.parse(readFileSync(join(folder, "report.json"), "utf8")) as RunReport;
      expectDirectHooks(report);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test("locked down: the line says how to boot", () => {
    const { text, code } = saidBy("locked");
    expect(refusals(text)).toEqual([
      expect.stringMatching(/boot without lockdown=confidentiality$/),
    ]);
    expect(code).toBe(1);
  });

  // From 5.11 on maps are accounted to the memory cgroup, and there is no limit to be too low.
  if (kernel.name === "5.10") {
    test("little locked memory: the line says how to raise the limit", () => {
      const { text, code } = saidBy("limited");
      expect(refusals(text)).toEqual([expect.stringMatching(/EPERM.*ulimit -l unlimited/)]);
      expect(code).toBe(1);
    });
  } else {
    test("little locked memory is enough", () => {
      const { text, code } = saidBy("limited");
      expect({ refused: refusals(text), code }).toEqual({ refused: [], code: 0 });
    });
  }
});
