import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RECORD } from "#cli/trace/import_record.ts";
import { mergeRuns } from "#cli/trace/run_merge.ts";
import { SortedRuns, SortMemory } from "#cli/trace/sorted_runs.ts";
import { openDescriptors } from "../../support/held.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "sorted-runs-"));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

const LENGTH = RECORD.context + 8;

/** A record with a time and a number to know it by. */
function record(time: number, number: number): Uint8Array {
  const bytes = new Uint8Array(LENGTH);
  const view = new DataView(bytes.buffer);
  view.setUint32(RECORD.timeLow, time >>> 0, true);
  view.setUint32(RECORD.timeHigh, Math.floor(time / 2 ** 32), true);
  view.setUint16(RECORD.length, LENGTH, true);
  view.setUint32(RECORD.context, number, true);
  return bytes;
}

function collect(times: readonly number[], runBytes: number): SortedRuns {
  const runs = new SortedRuns(new SortMemory(runBytes), (index) => join(directory, `run-${index}`));
  times.forEach((time, number) => {
    runs.push(record(time, number), LENGTH);
  });
  runs.finish();
  return runs;
}

describe("an external sort", () => {
  it("orders by time and then by arrival, for any number of runs and passes", async () => {
    const times = fc.array(
      fc.oneof(fc.nat(20), fc.constantFrom(2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 40)),
      { maxLength: 200 },
    );
    await fc.assert(
      fc.asyncProperty(
        times,
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 2, max: 5 }),
        async (times, runRecords, fanIn) => {
          const runs = collect(times, runRecords * LENGTH);
          const numbers: number[] = [];
          const sink = (bytes: Uint8Array): void => {
            numbers.push(
              new DataView(bytes.buffer, bytes.byteOffset).getUint32(RECORD.context, true),
            );
          };
          await mergeRuns(runs, sink, fanIn);
          const wanted = times.map((_, number) => number).sort((a, b) => times[a]! - times[b]!);
          expect(numbers).toEqual(wanted);
          expect(readdirSync(directory)).toEqual([]);
        },
      ),
    );
  });

  it("keeps runs to its memory and open files to its fan-in, over several passes", async () => {
    const runBytes = 64 * LENGTH;
    const count = 40_000;
    const times = Array.from({ length: count }, (_, i) => (i * 7919) % 10_007);
    const runs = collect(times, runBytes);
    expect(runs.paths).toHaveLength(count / 64);
    for (const path of runs.paths) expect(statSync(path).size).toBe(runBytes);
    let merged = 0;
    let mostOpen = 0;
    let last = 0;
    const sink = (bytes: Uint8Array): void => {
      const time = new DataView(bytes.buffer, bytes.byteOffset).getUint32(RECORD.timeLow, true);
      expect(time >= last).toBe(true);
      last = time;
      if (merged++ % 1000 === 0) mostOpen = Math.max(mostOpen, openDescriptors(directory));
    };
    const watch = setInterval(() => {
      mostOpen = Math.max(mostOpen, openDescriptors(directory));
    }, 1);
    await mergeRuns(runs, sink, 8);
    clearInterval(watch);
    expect(merged).toBe(count);
    expect(mostOpen).toBeGreaterThan(1);
    expect(mostOpen).toBeLessThanOrEqual(8 + 1); // and the file that an inner pass writes
  });

  it("leaves no file open when the sink throws", async () => {
    const runs = collect([3, 2, 1, 0], LENGTH);
    const failing = (): void => {
      throw new Error("no");
    };
    await expect(mergeRuns(runs, failing)).rejects.toThrow("no");
    expect(openDescriptors(directory)).toBe(0);
  });
});
