/** `tapio-bpf run --backend kernel`: collectors on this machine, under load, with closing books. */
import type { ChildProcess } from "node:child_process";
import { readdirSync, readlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import type { RunReport } from "../../cli/run/report.ts";
import { finish, tapio, underLoad } from "./command.ts";
import { describeNative } from "./native.ts";

/** Resolves once the process holds an attached program. */
async function attached(child: ChildProcess): Promise<void> {
  const folder = `/proc/${child.pid}/fd`;
  const holdsLink = (fd: string): boolean => {
    try {
      return /perf_event|bpf_link/.test(readlinkSync(`${folder}/${fd}`));
    } catch {
      return false;
    }
  };
  while (!readdirSync(folder).some(holdsLink)) await sleep(20);
}

const RUN = ["run", "--backend", "kernel", "-o", "json"];

describeNative("run --backend kernel", () => {
  it("closes its books under load, to the last event", async () => {
    const args = [...RUN, "--collector", "tcp,syscall", "--duration", "2"];
    const { status, out, error } = await underLoad(() => finish(tapio(...args)));
    expect(error).toBe("");
    expect(status).toBe(0);
    const report = JSON.parse(out) as RunReport;
    expect(report.backend).toBe("kernel");
    expect(report.books.residual).toBe(0);
    expect(report.books.in_flight).toBe(0);
    expect(report.malformed).toBe(0);
    expect(report.events["syscall"]).toBeGreaterThan(1000);
    expect(report.events["tcp_state"]).toBeGreaterThan(10);
    for (const { books } of report.programs) expect(books.residual).toBe(0);
  });

  it("ends with its report when it is interrupted", async () => {
    const child = tapio(...RUN, "--collector", "syscall", "--duration", "60");
    const finished = finish(child);
    await attached(child);
    child.kill("SIGINT");
    const { status, out } = await finished;
    expect(status).toBe(0);
    const report = JSON.parse(out) as RunReport;
    expect(report.books.residual).toBe(0);
    expect(report.elapsed_s).toBeLessThan(30);
  });

  it("refuses options of the simulation in one line", async () => {
    const { status, error } = await finish(tapio(...RUN, "--workload", "default"));
    expect(status).toBe(2);
    expect(error.trim().split("\n")).toHaveLength(1);
  });
});
