/** Names on a machine that is made of folders, and on the one that runs. */
import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { MACHINE_ROOTS, resolveNamedRule } from "#cli/resolve/resolver.ts";
import { expandNamedRule, namedRuleSchema } from "#core/filters/named_rule.ts";

const root = mkdtempSync(join(tmpdir(), "tapio-resolve-"));
afterAll(() => rmSync(root, { recursive: true }));

const roots = { cgroups: join(root, "cgroup"), proc: join(root, "proc") };
const CONTAINER = "0123456789abcdef".repeat(4);
const POD = "12345678-9abc-def0-1234-56789abcdef0";

function cgroup(path: string): string {
  const folder = join(roots.cgroups, path);
  mkdirSync(folder, { recursive: true });
  return statSync(folder).ino.toString();
}

function process_(pid: number, executable: string): void {
  mkdirSync(join(roots.proc, String(pid)), { recursive: true });
  symlinkSync(executable, join(roots.proc, String(pid), "exe"));
}

const docker = cgroup(`system.slice/docker-${CONTAINER}.scope`);
cgroup(`system.slice/docker-${CONTAINER}.scope/below-${CONTAINER}`);
const pod = cgroup(`kubepods.slice/kubepods-pod${POD.replaceAll("-", "_")}.slice`);
const web = cgroup("web");
process_(17, "/usr/bin/nginx");
process_(5, "/usr/bin/nginx");
process_(6, "/usr/bin/other");
mkdirSync(join(roots.proc, "self"));

const resolve = (fields: object) =>
  resolveNamedRule(namedRuleSchema.parse({ action: "deny", ...fields }), roots);

describe("names", () => {
  it.each<[object, readonly string[], readonly number[]]>([
    [{ cgroup_path: "/web" }, [web], []],
    [{ cgroup_path: "/absent" }, [], []],
    [{ container: CONTAINER }, [docker], []],
    [{ container: CONTAINER.slice(0, 12) }, [docker], []],
    [{ container: "fedcba987654" }, [], []],
    [{ pod: POD }, [pod], []],
    [{ executable: "/usr/bin/nginx" }, [], [5, 17]],
    [{ executable: "/usr/bin/absent" }, [], []],
  ])("%j", (fields, cgroups, pids) => {
    expect(resolve(fields)).toEqual({ cgroups, pids });
  });

  it("of this very process is found on the real machine", () => {
    const rule = namedRuleSchema.parse({ action: "allow", executable: process.execPath });
    expect(resolveNamedRule(rule, MACHINE_ROOTS).pids).toContain(process.pid);
  });

  it("that stand for nothing allow nothing, and deny nothing", () => {
    const nothing = { cgroups: [], pids: [] };
    const expand = (fields: object) =>
      expandNamedRule(namedRuleSchema.parse(fields), nothing, 4_194_304);
    expect(expand({ action: "allow", container: CONTAINER })).toEqual([
      { type: "cgroup", cgroup: "18446744073709551615", action: "allow", shadow: false },
    ]);
    expect(expand({ action: "allow", executable: "/x" })).toEqual([
      { type: "pid", pid: 4_194_304, action: "allow", shadow: false },
    ]);
    expect(expand({ action: "deny", container: CONTAINER })).toEqual([]);
  });

  it.each([
    { action: "allow" },
    { action: "allow", container: "short" },
    { action: "allow", cgroup_path: "web" },
    { action: "allow", container: CONTAINER, pod: POD },
    { action: "maybe", pod: POD },
  ])("%j are refused", (rule) => {
    expect(namedRuleSchema.safeParse(rule).success).toBe(false);
  });
});
