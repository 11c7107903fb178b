/** One recording, every engine: the same records, byte for byte, and the same books. */
import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { runSimulated } from "#cli/run/simulated.ts";
import type { RecordBatch } from "#core/backend.ts";
import { COLLECTORS } from "#core/events/collectors.ts";
import type { Sink } from "#core/pipeline/sink.ts";
import { createAotEngine } from "#wasm/engines/aot/aot.ts";
import type { Mode } from "#wasm/engines/engine.ts";
import { ENGINES } from "#wasm/engines/engines.ts";
import { recordedHook } from "./arbitraries/recordings.ts";
import { configuration, runPipeline } from "./pipeline/pipeline_run.ts";
import { checkAsyncProperty } from "./property.ts";

const SAMPLE = "samples/web-loss.trace";

/** What was delivered, in order, as one number. */
class Digest implements Sink {
  readonly name = "digest";
  readonly #hash = createHash("sha256");
  records = 0;

  write({ view, offsets, lengths, count }: RecordBatch): void {
    for (let i = 0; i < count; i++) {
      this.#hash.update(new Uint8Array(view.buffer, view.byteOffset + offsets[i]!, lengths[i]!));
    }
    this.records += count;
  }

  value(): string {
    return this.#hash.digest("hex");
  }

  async flush(): Promise<void> {}
  async close(): Promise<void> {}
}

async function replaySample(
  engine: string,
  mode: Mode,
  preemptionInterval: number,
): Promise<object> {
  const digest = new Digest();
  const report = await runSimulated({
    collectors: [...COLLECTORS.values()],
    source: { kind: "trace", path: SAMPLE, duration_s: undefined },
    sinks: [digest],
    engine,
    mode,
    cpus: 0,
    seed: 7,
    preemptionInterval,
    progress: false,
  });
  const { books, events } = report;
  return { books, events, records: digest.records, digest: digest.value() };
}

describe("engines agree", () => {
  it.each([0, 5])(
    "on the sample recording, preempting every %i helper calls",
    async (interval) => {
      const [first, ...others] = await Promise.all(
        [...ENGINES, createAotEngine("paranoid")].map(({ name, mode }) =>
          replaySample(name, mode, interval),
        ),
      );
      expect(first).toMatchObject({ books: { residual: 0 } });
      for (const other of others) expect(other).toEqual(first);
    },
    120_000,
  );

  it("on any recording, schedule and configuration", async () => {
    const recording = fc.array(recordedHook, { maxLength: 120, size: "max" });
    await checkAsyncProperty(
      "engines agree on recordings",
      fc.asyncProperty(recording, configuration, async (records, configured) => {
        const outcomes = [];
        for (const { name } of ENGINES) {
          const { books, missing, journal } = await runPipeline(records, configured, name);
          outcomes.push({
            books,
            missing,
            records: [...journal.records],
            digest: journal.digest(),
          });
        }
        for (const other of outcomes.slice(1)) expect(other).toEqual(outcomes[0]);
      }),
    );
  });
});
