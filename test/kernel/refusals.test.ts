/** What a machine may lack, each made to lack it for one child process: one line with the remedy. */
import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";
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

describeNative("run --backend kernel", () => {
  it("without privileges names the capabilities", () => {
    // The user stays, so that a clone in a folder of their own can be read; the kernel looks at capabilities.
    const powerless = ["--bounding-set", "-all", "--inh-caps", "-all", node, ...COMMAND];
    expect(refusal("setpriv", powerless)).toMatch(/EPERM.*root.*CAP_BPF and CAP_PERFMON/);
  });

  it("without tracefs says how to mount it", () => {
    const script = 'umount -a -t tracefs && exec "$@"';
    const args = ["--mount", "--", "sh", "-c", script, "sh", node, ...COMMAND];
    expect(refusal("unshare", args)).toContain("mount -t tracefs tracefs /sys/kernel/tracing");
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

  it("needs only CAP_BPF, CAP_PERFMON and access to tracefs", () => {
    const drop = ["--bounding-set", "-sys_admin", "--inh-caps", "-sys_admin"];
    const run = spawnSync("setpriv", [...drop, node, ...COMMAND, "-o", "json"], {
      encoding: "utf8",
    });
    expect(run.stderr.trim()).toMatch(/^$|^tapio-bpf: run times are not counted: .*CAP_SYS_ADMIN$/);
    expect(run.status).toBe(0);
    expect(JSON.parse(run.stdout)).toMatchObject({ books: { residual: 0 } });
  });
});
