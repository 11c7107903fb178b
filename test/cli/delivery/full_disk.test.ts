/**
 * Disks that are full and read-only for real: small file systems in a mount namespace of the run's own, so nothing of
 * this machine changes. As root.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import { type ControlClient, connectControl } from "#cli/daemon/control_client.ts";
import type { StatisticsReport } from "#cli/run/parts/telemetry.ts";
import type { RunReport } from "#cli/run/report.ts";
import { endRun, type RunProcess, startRunWith } from "../../support/run_process.ts";

const namespaces = spawnSync("unshare", ["--mount", "true"]).status === 0;

const folder = mkdtempSync(join(tmpdir(), "tapio-full-disk-"));
afterAll(() => rmSync(folder, { recursive: true }));

const DISKS = { log: join(folder, "log"), events: join(folder, "events") } as const;
type Disk = keyof typeof DISKS;

function startOnSmallDisks(socket: string): RunProcess {
  for (const path of Object.values(DISKS)) mkdirSync(path);
  const config = join(folder, "tapio.yaml");
  const log = { enabled: true, path: join(DISKS.log, "log"), segment_bytes: 65_536 };
  writeFileSync(
    config,
    JSON.stringify({
      sinks: [{ type: "file", path: join(DISKS.events, "files"), max_bytes: 65_536, keep: 2 }],
      log: { ...log, max_bytes: 1 << 20 },
      batching: { retry_backoff_ms: 50, retry_backoff_max_ms: 500, max_batch_size: 100 },
      sampling: { strategy: "uniform", base_rate: 0.02 },
    }),
  );
  const mounts = Object.values(DISKS).map((path) => `mount -t tmpfs -o size=4m tmpfs ${path}`);
  const script = [...mounts, 'exec "$@"'].join(" && ");
  return startRunWith(
    ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh"],
    ["--config", config, "--socket", socket, "--workload", "default"],
  );
}

/** In the run's mount namespace. */
function inside({ process: { pid } }: RunProcess, command: string): void {
  execFileSync("nsenter", ["--target", String(pid), "--mount", "sh", "-c", command]);
}

function fill(run: RunProcess, disk: Disk): void {
  inside(run, `dd if=/dev/zero of=${DISKS[disk]}/fill bs=4k 2>/dev/null || true`);
}

const WAIT = { timeout: 100_000, interval: 200 };

function problem(client: ControlClient, wanted: RegExp): Promise<void> {
  return vi.waitFor(async () => {
    const { health } = (await client.call("stats.show")) as StatisticsReport;
    expect(health.reasons.map((reason) => reason.problem).join("\n")).toMatch(wanted);
  }, WAIT);
}

const reportOf = async (client: ControlClient): Promise<RunReport> =>
  (await client.call("run.report")) as RunReport;

/** Nothing is wrong any more, and events arrive. */
async function recovered(client: ControlClient): Promise<void> {
  const before = (await reportOf(client)).books.delivered;
  await vi.waitFor(async () => {
    expect((await reportOf(client)).books.delivered).toBeGreaterThan(before + 100);
    const { health } = (await client.call("stats.show")) as StatisticsReport;
    expect(health.reasons.filter((reason) => /not taken/.test(reason.problem))).toEqual([]);
  }, WAIT);
}

describe.skipIf(!namespaces)("a run on disks that fail (needs root)", () => {
  it("says what is full or read-only, goes on when there is room, and its books close", async () => {
    const socket = join(folder, "run.sock");
    const run = startOnSmallDisks(socket);
    const client = await vi.waitFor(() => connectControl(socket), WAIT);
    try {
      await recovered(client);

      fill(run, "events");
      await problem(client, /events are not taken: .*events\/files: ENOSPC/);
      inside(run, `rm ${DISKS.events}/fill`);
      await recovered(client);

      fill(run, "log");
      await problem(client, /events are not taken: the log of \w+: .*ENOSPC/);
      // Of the path alone: the file system itself is busy while old segments are open.
      inside(
        run,
        `mount --bind ${DISKS.log} ${DISKS.log} && mount -o remount,bind,ro ${DISKS.log}`,
      );
      await problem(client, /the log of \w+: .*EROFS/);
      inside(run, `umount ${DISKS.log} && rm ${DISKS.log}/fill`);
      await recovered(client);
    } finally {
      client.close();
      await endRun(run);
    }
    const { books } = JSON.parse(run.output.out) as RunReport;
    expect(books).toMatchObject({ residual: 0, in_flight: 0 });
    const { log_failed, ...others } = books.dropped;
    expect(log_failed).toBeGreaterThan(0);
    expect(Object.values(others).reduce((sum, count) => sum + count, 0)).toBe(0);
  }, 400_000);
});
