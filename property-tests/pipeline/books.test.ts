/** The whole pipeline as a property: for any recording, schedule and configuration the books close. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { eventsToSee, recordedHook } from "../arbitraries/recordings.ts";
import { checkAsyncProperty } from "../property.ts";
import { configuration, runPipeline } from "./pipeline_run.ts";

describe("the books of the pipeline", () => {
  it("close for any recording, schedule and configuration, at every instant", async () => {
    const recording = fc.array(recordedHook, { maxLength: 120, size: "max" });
    await checkAsyncProperty(
      "pipeline books",
      fc.asyncProperty(recording, configuration, async (records, configured) => {
        const { books, missing, journal } = await runPipeline(records, configured);
        const expected = eventsToSee(records);
        for (const collector of ["tcp", "syscall"] as const) {
          const { seen, delivered, in_flight, dropped, filtered } = books[collector]!;
          expect(seen).toBe(expected[collector]);
          expect(in_flight).toBe(0);
          const lines = journal.records.get(collector) ?? [];
          expect(lines.length).toBe(delivered);
          expect(new Set(lines).size).toBe(delivered);
          // A gap shows only once a later record of the same program and CPU arrived.
          expect(missing[collector]).toBeLessThanOrEqual(dropped["ring_full"]!);
          if (configured.constants["only_pid"] === 9999) expect(filtered).toBe(seen);
        }
      }),
    );
  });

  it("are the same on a second run with the same seed, record for record", async () => {
    const recording = fc.array(recordedHook, { maxLength: 80, size: "max" });
    await checkAsyncProperty(
      "pipeline determinism",
      fc.asyncProperty(recording, configuration, async (records, configured) => {
        const first = await runPipeline(records, configured);
        const second = await runPipeline(records, configured);
        expect(second.books).toEqual(first.books);
        expect([...second.journal.records]).toEqual([...first.journal.records]);
      }),
    );
  });
});
