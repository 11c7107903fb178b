/** What a machine may lack, each made to lack it for one child process: one line with the remedy. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import type { RunReport } from "../../cli/run/report.ts";
import { describeNative } from "./native.ts";

const COMMAND = [
  "cli/main.ts",
  "run",
  "--backend",
  "kernel",
  "--collector",
  "tcp",
  "--duration",
  "1",
];

function refusal(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): string {
  const run = spawnSync(command, args, { encoding: "utf8", env: { ...process.env, ...env } });
  const line = run.stderr.trim();
  expect({ status: run.status, out: run.stdout }, line).toEqual({ status: 1, out: "" });
  expect(line.split("\n")).toHaveLength(1);
  return line;
}

const node = process.execPath;
const folder = mkdtempSync(join(tmpdir(), "tapio-refusals-"));
afterAll(() => rmSync(folder, { recursive: true }));

describeNative("run --backend kernel", () => {
  it("without privileges names the capabilities", () => {
    // The user stays, so that a clone in a folder of their own can be read; the kernel looks at capabilities.
    const powerless = ["--bounding-set", "-all", "--inh-caps", "-all", node, ...COMMAND];
    expect(refusal("setpriv", powerless)).toMatch(/EPERM.*root.*CAP_BPF and CAP_PERFMON/);
  });

  const WITHOUT_TRACEFS = ["--mount", "--", "sh", "-c", 'umount -a -t tracefs && exec "$@"', "sh"];

  it("without tracefs attaches in another way, and says how to mount it where it may not", () => {
    // The TCP programs would not, before 6.1.
    const collector = ["--collector", "syscall"];
    const args = [...WITHOUT_TRACEFS, node, ...COMMAND, ...collector, "-o", "json"];
    const run = spawnSync("unshare", args, { encoding: "utf8" });
    expect({ status: run.status, error: run.stderr }).toEqual({ status: 0, error: "" });
    const { hooks, books } = JSON.parse(run.stdout) as RunReport;
    expect(hooks!.map(({ hook }) => hook)).toEqual(["tp_btf/sys_enter", "tp_btf/sys_exit"]);
    expect(books.residual).toBe(0);

    const config = join(folder, "tracepoint.yaml");
    writeFileSync(config, "hooks: tracepoint\n");
    const forced = [...WITHOUT_TRACEFS, node, ...COMMAND, "--config", config];
    expect(refusal("unshare", forced)).toContain("mount -t tracefs tracefs /sys/kernel/tracing");
  });

  it("without BTF says what kernel it takes", () => {
    const script = 'mount -t tmpfs tmpfs /sys/kernel/btf && exec "$@"';
    const args = ["--mount", "--", "sh", "-c", script, "sh", node, ...COMMAND];
    expect(refusal("unshare", args)).toContain("CONFIG_DEBUG_INFO_BTF");
  });

  it("without its addon says how to build it, and names the other backend", () => {
    const env = { TAPIO_KERNEL_ADDON: "/absent/tapio_bpf.node" };
    expect(refusal(node, COMMAND, env)).toMatch(/npm run setup.*--backend wasm/);
  });

  it("needs only CAP_BPF and CAP_PERFMON", () => {
    const drop = ["--bounding-set", "-sys_admin", "--inh-caps", "-sys_admin"];
    const run = spawnSync("setpriv", [...drop, node, ...COMMAND, "-o", "json"], {
      encoding: "utf8",
    });
    expect(run.stderr.trim()).toMatch(/^$|^tapio-bpf: run times are not counted: .*CAP_SYS_ADMIN$/);
    expect(run.status).toBe(0);
    expect(JSON.parse(run.stdout)).toMatchObject({ books: { residual: 0 } });
  });
});
