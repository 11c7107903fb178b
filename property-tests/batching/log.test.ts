import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WriteAheadLog } from "#core/batching/log/write_ahead_log.ts";
import { CONSUMERS, type LogAction, LogRun, type LogScenario } from "../models/log_run.ts";
import { ManualClock, MemoryDisk } from "../models/memory_disk.ts";
import { checkAsyncProperty } from "../property.ts";

const consumer = fc.constantFrom(...CONSUMERS);
const action: fc.Arbitrary<LogAction> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("append"), length: fc.nat(120) }) },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant("consume"), consumer, acknowledge: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("sync") }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("wait"), delay_ms: fc.nat(300) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("reopen") }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("kill"), after: fc.nat(12) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("crash"), after: fc.nat(12) }) },
) as fc.Arbitrary<LogAction>;

const scenario: fc.Arbitrary<LogScenario> = fc.record({
  sync: fc.constantFrom("always", "group", "never"),
  whenFull: fc.constantFrom("block", "drop_oldest", "drop_newest"),
  max_bytes: fc.constantFrom(1200, 2400, 100_000),
  actions: fc.array(action, { maxLength: 60, size: "max" }),
  faults: fc.array(
    fc.record({
      at: fc.nat(120),
      fault: fc.constantFrom("ENOSPC", "EIO", "EROFS", "short"),
    }),
    { maxLength: 12 },
  ),
  choices: fc.array(fc.nat(1000), { maxLength: 20 }),
}) as fc.Arbitrary<LogScenario>;

describe("the write-ahead log on a failing disk", () => {
  it("loses nothing that it promised to keep, and always starts again", async () => {
    await checkAsyncProperty(
      "log on a failing disk",
      fc.asyncProperty(scenario, async (drawn) => {
        const run = new LogRun(drawn);
        await run.open();
        for (const each of drawn.actions) await run.act(each);
        await run.finish();
      }),
    );
  });
});

const OPTIONS = {
  clock: new ManualClock(),
  header: new TextEncoder().encode("schema"),
  consumers: ["a"],
  sync: "always",
  sync_interval_ms: 100,
  sync_bytes: 10_000,
  segment_bytes: 10_000,
  max_bytes: 100_000,
  when_full: "block",
} as const;
const BATCHES = 5;

/** The files of a log of a few batches, in one segment; killed, or closed with a seal. */
async function writtenLog(closed: boolean): Promise<Map<string, Uint8Array>> {
  const disk = new MemoryDisk();
  const log = await WriteAheadLog.open({ ...OPTIONS, storage: disk });
  for (let i = 1; i <= BATCHES; i++) await log.append(new Uint8Array(20 + i).fill(i), i);
  if (closed) await log.close();
  return disk.files();
}

interface Reading {
  readonly sequences: readonly number[];
  readonly corrupt: number;
}

async function readAll(files: ReadonlyMap<string, Uint8Array>): Promise<Reading> {
  const log = await WriteAheadLog.open({ ...OPTIONS, storage: MemoryDisk.of(files) });
  const cursor = log.cursor("a");
  const sequences: number[] = [];
  while (cursor.pending > sequences.length) {
    const { sequence, count, payload, segment, header } = (await cursor.next())!;
    expect({ segment, count, payload, header }).toEqual({
      segment: 1,
      count: sequence,
      payload: new Uint8Array(20 + sequence).fill(sequence),
      header: OPTIONS.header,
    });
    sequences.push(sequence);
  }
  const corrupt = log.getStatistics().batches_corrupt;
  const added = await log.append(Uint8Array.of(1), 1);
  expect(added.status, "it starts again").toBe("accepted");
  if (added.status === "accepted") expect(sequences).not.toContain(added.sequence);
  await log.close();
  return { sequences, corrupt };
}

function segmentOf(files: ReadonlyMap<string, Uint8Array>): readonly [string, Uint8Array] {
  return [...files].find(([name]) => name.endsWith(".segment"))!;
}

describe.each([
  ["closed", true],
  ["killed", false],
] as const)("the segment of a log that was %s", (_, closed) => {
  it("cut at every byte gives what is before the cut; the rest is known to be missing", async () => {
    const files = await writtenLog(closed);
    const [name, bytes] = segmentOf(files);
    expect(await readAll(files)).toEqual({ sequences: [1, 2, 3, 4, 5], corrupt: 0 });
    let whole = 0;
    for (let length = 0; length < bytes.length; length++) {
      const cut = await readAll(new Map(files).set(name, bytes.slice(0, length)));
      expect(cut.sequences, `cut to ${length}`).toEqual(
        [1, 2, 3, 4, 5].slice(0, cut.sequences.length),
      );
      if (cut.corrupt === 0) whole++;
      if (closed && cut.sequences.length < BATCHES) {
        expect(cut.corrupt, `cut to ${length}`).toBe(BATCHES - cut.sequences.length);
      }
    }
    // Without a seal, a cut between two records looks as if the process had been killed there.
    expect(whole).toBe(closed ? 1 : BATCHES);
  });

  it("with any bit flipped gives all other batches, and the damage is found", async () => {
    const files = await writtenLog(closed);
    const [name, bytes] = segmentOf(files);
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const damaged = bytes.slice();
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      const { sequences, corrupt } = await readAll(new Map(files).set(name, damaged));
      expect(sequences.length, `bit ${bit}`).toBeGreaterThanOrEqual(BATCHES - 1);
      expect(corrupt, `bit ${bit}`).toBe(1);
    }
  });
});

describe("the positions of a log", () => {
  it("cut or damaged make it send again, and lose nothing", async () => {
    const files = await writtenLog(true);
    const bytes = files.get("positions")!;
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const damaged = bytes.slice();
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      const cut = bytes.slice(0, bit >> 3);
      for (const changed of [damaged, cut]) {
        const { sequences } = await readAll(new Map(files).set("positions", changed));
        expect(sequences, `bit ${bit}`).toEqual([1, 2, 3, 4, 5]);
      }
    }
  });
});
