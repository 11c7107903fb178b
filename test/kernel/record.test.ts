/** `tapio-bpf record`: what a real kernel's hooks saw, replayed by the simulation. */
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { release, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { commText, type TaskFacts } from "#core/trace/task_facts.ts";
import { expectSameEvents } from "#vm-tests/suites/recorded_traffic.ts";
import type { RecordSummary } from "../../cli/record/record_kernel.ts";
import type { RunReport } from "../../cli/run/report.ts";
import { openTrace } from "../../cli/trace_file.ts";
import { finish, tapio, underLoad } from "./command.ts";
import { describeNative } from "./native.ts";

const folder = mkdtempSync(join(tmpdir(), "tapio-record-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const namespaceId = (pid: number, name: string): number =>
  Number(/\d+/.exec(readlinkSync(`/proc/${pid}/ns/${name}`))![0]);

const parentOf = (pid: number): number =>
  Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]);

async function tasksOf(path: string, pid: number): Promise<TaskFacts[]> {
  const found: TaskFacts[] = [];
  for await (const block of await openTrace(path)) {
    if (block.kind !== "tasks") continue;
    found.push(...block.tasks.map(({ facts }) => facts).filter((facts) => facts.pid === pid));
  }
  return found;
}

describeNative("record", () => {
  it("makes a trace that replays to the same number of events, with the tasks' facts", async () => {
    const path = join(folder, "load.trace");
    const { summary, load, expected } = await underLoad(async (pid) => {
      const recording = finish(tapio("record", "-w", path, "--duration", "2", "-o", "json"));
      const expected = {
        parent_pid: parentOf(pid),
        uid: process.getuid!(),
        gid: process.getgid!(),
        namespaces: {
          pid: namespaceId(pid, "pid"),
          net: namespaceId(pid, "net"),
          mnt: namespaceId(pid, "mnt"),
          uts: namespaceId(pid, "uts"),
          ipc: namespaceId(pid, "ipc"),
          cgroup: namespaceId(pid, "cgroup"),
          user: namespaceId(pid, "user"),
        },
      };
      const { status, out, error } = await recording;
      expect(error).toBe("");
      expect(status).toBe(0);
      return { summary: JSON.parse(out) as RecordSummary, load: pid, expected };
    });
    expect(readdirSync(folder)).toEqual(["load.trace"]);
    expect(summary.records).toBeGreaterThan(1000);
    const mainThread = (await tasksOf(path, load)).find(({ tid }) => tid === load)!;
    expect(mainThread).toMatchObject(expected);
    expect(commText(mainThread.comm)).not.toBe("");
    expect(mainThread.start_ns).toBeGreaterThan(0n);

    const replayed = await finish(tapio("run", "--trace", path, "-o", "json"));
    expect(replayed).toMatchObject({ status: 0, error: "" });
    const report = JSON.parse(replayed.out) as RunReport;
    expect(report.source).toMatchObject({ records: summary.records, lost: summary.lost });
    expect(report.books.residual).toBe(0);
    const byHook = summary.recordsByHook;
    expect(report.events["syscall"]).toBe(byHook["tracepoint/raw_syscalls/sys_exit"]);
    const tcp = report.events["tcp_state"]! + report.events["tcp_connect_failed"]!;
    expect(tcp).toBeGreaterThan(10);
    expect(tcp).toBeLessThanOrEqual(byHook["tracepoint/sock/inet_sock_set_state"]!);
  });

  it("replays to the events that a collector saw live", async () => {
    const script = "vm-tests/guest/record_traffic.ts";
    const child = spawn(process.execPath, [script, "cli/main.ts", folder, "60"], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    const { status, out, error } = await finish(child);
    expect({ status, error }).toEqual({ status: 0, error: "" });
    const [, ...ports] = /^ports (\d+) (\d+)/m.exec(out)!;
    expectSameEvents(folder, ports.map(Number), release());
    for (const name of ["traffic.trace", "live.ndjson", "report.json", "replayed.ndjson"])
      rmSync(join(folder, name));
  });

  it("says what is wrong in one line and leaves no file", async () => {
    const before = readdirSync(folder);
    const missing = await finish(
      tapio("record", "-w", join(folder, "absent", "x"), "--duration", "1"),
    );
    expect(missing.status).toBe(1);
    expect(missing.error.trim().split("\n")).toHaveLength(1);
    expect((await finish(tapio("record"))).status).toBe(2);
    const unknown = await finish(tapio("record", "-w", "x", "--collector", "none"));
    expect(unknown.status).toBe(2);
    expect(readdirSync(folder)).toEqual(before);
  });
});
