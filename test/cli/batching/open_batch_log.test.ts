import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openBatchLog } from "#cli/batching/open_batch_log.ts";
import type { BatchLog } from "#core/batching/log/batch_log.ts";
import { logConfigSchema } from "#core/batching/sink_config.ts";

const HEADER = new TextEncoder().encode("header");
const CONFIG = { ...logConfigSchema.parse({}), segment_bytes: 4096, max_bytes: 16_384 };

let folder: string;
const opened: BatchLog[] = [];

async function open(
  changes: Partial<typeof CONFIG> = {},
  consumers = ["a", "b"],
): Promise<BatchLog> {
  const config = { ...CONFIG, ...changes };
  const log = await openBatchLog({ config, folder, header: HEADER, consumers });
  opened.push(log);
  return log;
}

function payload(number: number, length = 1000): Uint8Array {
  return new Uint8Array(length).fill(number);
}

beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), "tapio-log-")), "log");
});

afterEach(async () => {
  for (const log of opened.splice(0)) await log.close();
  rmSync(join(folder, ".."), { recursive: true });
});

describe.each(["always", "group", "never"] as const)("a log on the disk (%s)", (sync) => {
  it("gives back what was appended, after a restart too", async () => {
    const log = await open({ sync });
    const keys = [];
    for (let i = 1; i <= 9; i++) keys.push(await log.append(payload(i), i));
    expect(keys.every(({ status }) => status === "accepted")).toBe(true);
    const cursor = log.cursor("a");
    for (let i = 1; i <= 4; i++) {
      const record = await cursor.next();
      expect(record).toMatchObject({ sequence: i, count: i, payload: payload(i), header: HEADER });
      cursor.acknowledge(i);
    }
    await log.close();
    expect(await cursor.next()).toBeUndefined();

    const again = await open({ sync });
    expect(again.cursor("a").pending).toBe(5);
    expect(again.cursor("b").pending).toBe(9);
    expect(await again.cursor("a").next()).toMatchObject({ sequence: 5, payload: payload(5) });
    const first = await again.cursor("b").next();
    const { segment, sequence } = keys[0]! as { segment: number; sequence: number };
    expect(first).toMatchObject({ segment, sequence, payload: payload(1) });
    expect(await again.append(payload(10), 1)).toMatchObject({ status: "accepted", sequence: 10 });
    expect(again.getStatistics()).toMatchObject({ state: "healthy", batches_corrupt: 0 });
  });

  it("deletes segments that every consumer acknowledged, and keeps below its cap", async () => {
    const log = await open({ sync });
    for (let i = 1; i <= 100; i++) {
      expect(await log.append(payload(i), 1)).toMatchObject({ status: "accepted", sequence: i });
      for (const name of ["a", "b"]) {
        expect(await log.cursor(name).next()).toMatchObject({ sequence: i });
        log.cursor(name).acknowledge(i);
      }
      expect(log.getStatistics().bytes).toBeLessThanOrEqual(CONFIG.max_bytes);
    }
    expect(log.getStatistics().segments_deleted).toBeGreaterThan(20);
    await log.close();
    const left = readdirSync(folder).filter((name) => name.endsWith(".segment"));
    expect(left.length).toBeLessThanOrEqual(4);
    const again = await open({ sync });
    expect(again.getStatistics()).toMatchObject({ pending: 0, batches_corrupt: 0 });
    expect(await again.append(payload(1), 1)).toMatchObject({ sequence: 101 });
  });
});

describe("a log at its cap", () => {
  it("waits for an acknowledgement (block)", async () => {
    const log = await open({ when_full: "block" });
    let accepted = 0;
    const waiting = Array.from({ length: 20 }, async (_, i) => {
      const result = await log.append(payload(i), 1);
      if (result.status === "accepted") accepted++;
      return result;
    });
    await log.sync();
    const before = accepted;
    expect(before).toBeGreaterThan(8);
    expect(before).toBeLessThan(20);
    for (let i = 1; i <= 20; i++) {
      for (const name of ["a", "b"]) {
        expect(await log.cursor(name).next()).toMatchObject({ sequence: i });
        log.cursor(name).acknowledge(i);
      }
    }
    await Promise.all(waiting);
    expect(accepted).toBe(20);
  });

  it("refuses one that gives up waiting (block)", async () => {
    const log = await open({ when_full: "block" });
    const stop = new AbortController();
    const results = Array.from({ length: 20 }, (_, i) => log.append(payload(i), 7, stop.signal));
    await log.sync();
    stop.abort();
    const refused = (await Promise.all(results)).filter(({ status }) => status === "refused");
    expect(refused.length).toBeGreaterThan(0);
    for (const result of refused) expect(result).toMatchObject({ reason: "log_full" });
    expect(log.getStatistics().events_refused).toBe(7 * refused.length);
  });

  it("refuses what comes (drop_newest)", async () => {
    const log = await open({ when_full: "drop_newest" });
    const results = [];
    for (let i = 0; i < 20; i++) results.push((await log.append(payload(i), 2)).status);
    const refused = results.filter((status) => status === "refused").length;
    expect(refused).toBeGreaterThan(0);
    expect(results.lastIndexOf("accepted")).toBe(20 - refused - 1);
    expect(log.getStatistics()).toMatchObject({
      batches_refused: refused,
      events_refused: 2 * refused,
      batches_dropped: 0,
    });
  });

  it("gives up what is oldest (drop_oldest)", async () => {
    const log = await open({ when_full: "drop_oldest" });
    for (let i = 1; i <= 50; i++) {
      expect(await log.append(payload(i), 2)).toMatchObject({ status: "accepted", sequence: i });
      expect(log.getStatistics().bytes).toBeLessThanOrEqual(CONFIG.max_bytes);
    }
    const { batches_dropped, events_dropped, pending } = log.getStatistics();
    expect(batches_dropped + pending).toBe(50);
    expect(events_dropped).toBe(2 * batches_dropped);
    expect(await log.cursor("a").next()).toMatchObject({ sequence: batches_dropped + 1 });
  });
});

describe("a log's folder", () => {
  it("belongs to one process at a time", async () => {
    const log = await open();
    await expect(open()).rejects.toThrow("another process uses it");
    await log.close();
    await open();
  });

  it("lets a consumer that is no longer named go", async () => {
    const log = await open();
    for (let i = 1; i <= 30; i++) {
      await log.append(payload(i), 1);
      await log.cursor("a").next();
      log.cursor("a").acknowledge(i);
      if (i === 8) break;
    }
    await log.close();
    const again = await open({}, ["a"]);
    expect(again.getStatistics().pending).toBe(0);
  });
});
