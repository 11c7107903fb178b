/** Filters of a run in progress, as its user changes them: commands, files, reloads, names. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, it, vi } from "vitest";
import { connectControl } from "#cli/daemon/control_client.ts";
import type { RunReport } from "#cli/run/report.ts";
import type { NumberedRule } from "#core/filters/rule.ts";
import { endRun, type RunProcess, startRun } from "../../support/run_process.ts";
import { tapio } from "../../support/tapio.ts";

const folder = mkdtempSync(join(tmpdir(), "tapio-filter-"));
const socket = join(folder, "run.sock");
const config = join(folder, "tapio.yaml");
const runs: RunProcess[] = [];
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(async () => {
  for (const run of runs.splice(0)) await endRun(run);
});

async function call<Answer>(method: string): Promise<Answer> {
  const client = await connectControl(socket);
  try {
    return (await client.call(method)) as Answer;
  } finally {
    client.close();
  }
}

const books = async () => (await call<RunReport>("run.report")).books;
const rules = async () => (await call<{ rules: NumberedRule[] }>("filter.list")).rules;

/** Part of the next events that is filtered. */
async function filteredShare(): Promise<number> {
  const before = await books();
  const after = await vi.waitFor(
    async () => {
      const now = await books();
      expect(now.seen).toBeGreaterThan(before.seen + 5000);
      return now;
    },
    { timeout: 30_000, interval: 50 },
  );
  return (after.filtered - before.filtered) / (after.seen - before.seen);
}

const filter = (...words: string[]) => tapio(["filter", ...words, "--socket", socket]);

it("adds, lists, removes, replaces and clears, and refuses with the reason", async () => {
  writeFileSync(config, "filters: { rules: [{ type: uid, uid: 4000000, action: deny }] }\n");
  const run = startRun(["--config", config, "--socket", socket]);
  runs.push(run);
  await vi.waitFor(() => books(), { timeout: 20_000, interval: 50 });
  expect(await filteredShare()).toBe(0);

  expect(filter("add", "allow", "uid=4000001")).toMatchObject({ status: 0, error: "" });
  expect(await filteredShare()).toBe(1);
  expect((await rules()).map(({ type }) => type)).toEqual(["uid", "uid"]);
  expect(filter("ls").out).toMatch(/allow\s+uid\s+uid=4000001/);
  expect(filter("rm", "2")).toMatchObject({ status: 0 });
  expect(await filteredShare()).toBe(0);
  expect(filter("add", "deny", "network=0.0.0.0/0", "--port", "80", "--shadow").status).toBe(0);
  expect(await filteredShare()).toBe(0);

  for (const [words, reason] of [
    [["add", "deny", "pid=0"], /pid must be an integer from 1/],
    [["add", "deny", "network=10.0.0.0/40"], /10\.0\.0\.0\/40/],
    [["add", "deny", "network=10.0.0.0/8", "--port", "70000"], /port must be/],
    [["add", "deny", "color=red"], /types are pid, namespace/],
    [["add", "allow", "uid=4000000"], /contradicts rule 1/],
    [["rm", "999"], /no rule is 999/],
  ] as const) {
    const refused = filter(...words);
    expect(refused.status, refused.error).toBeGreaterThan(0);
    expect(refused.error).toMatch(reason);
    expect(refused.error.split("\n")).toHaveLength(1);
  }
  const before = await rules();
  const file = join(folder, "rules.yaml");
  writeFileSync(
    file,
    "- { type: pid, pid: 7, action: deny }\n- { type: pid, pid: 0, action: deny }\n",
  );
  expect(filter("replace", file).error).toMatch(/rules\.yaml:2: \[1\]\.pid/);
  writeFileSync(
    config,
    "filters:\n  rules:\n    - { type: network, cidr: 1.2.3.4/33, action: deny }\n",
  );
  expect(tapio(["reload", "--socket", socket]).error).toMatch(/tapio\.yaml:3: .*cidr/);
  expect(await rules()).toEqual(before);

  writeFileSync(file, "- { type: uid, uid: 4000009, action: allow }\n");
  expect(filter("replace", file)).toMatchObject({ status: 0, error: "" });
  expect(await filteredShare()).toBe(1);
  expect(filter("clear").status).toBe(0);
  expect(await rules()).toEqual([]);
  expect(await filteredShare()).toBe(0);

  writeFileSync(config, "named_filters: [{ action: allow, executable: /no/such/program }]\n");
  expect(tapio(["reload", "--socket", socket])).toMatchObject({ status: 0, error: "" });
  expect(await filteredShare()).toBe(1);
  writeFileSync(config, `named_filters: [{ action: deny, executable: ${process.execPath} }]\n`);
  expect(tapio(["reload", "--socket", socket])).toMatchObject({ status: 0, error: "" });
  const own = await rules();
  expect(own.some((rule) => rule.type === "pid" && rule.pid === process.pid)).toBe(true);
  expect(await endRun(run)).toBe(0);
  const report = JSON.parse(run.output.out) as RunReport;
  expect(report.books).toMatchObject({ residual: 0, in_flight: 0 });
});
