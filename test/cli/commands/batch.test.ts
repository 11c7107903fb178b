import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { zstdCodec } from "#cli/batching/zstd_codec.ts";
import { ColumnarEncoder } from "#core/batching/encoding/columnar_encoder.ts";
import { eventObject } from "#core/events/event_json.ts";
import { recordedEvents, SAMPLE_TRACE, sliceBatch } from "../../../bench/recorded_batches.ts";
import { tapio } from "../../support/tapio.ts";

const folder = mkdtempSync(join(tmpdir(), "tapio-batch-"));
const file = join(folder, "events.tapio");
let expected: string;
let whole: Uint8Array;

beforeAll(async () => {
  const { schema, events, all } = (await recordedEvents(SAMPLE_TRACE)).find(
    (each) => each.schema.collector === "tcp",
  )!;
  const encoder = new ColumnarEncoder(schema, zstdCodec());
  const blocks = [encoder.schemaHeader];
  for (let first = 0; first < all.count; first += 500) {
    blocks.push(encoder.encode(sliceBatch(all, first, 500)).bytes);
  }
  whole = Buffer.concat(blocks);
  writeFileSync(file, whole);
  const lines = Array.from({ length: all.count }, (_, i) => eventObject(all, i, events));
  expected = lines.map((event) => `${JSON.stringify(event)}\n`).join("");
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true }));

describe("batch cat", () => {
  it("prints the events of a columnar file, one a line", () => {
    const { status, out, error } = tapio(["batch", "cat", file]);
    expect({ status, error }).toEqual({ status: 0, error: "" });
    expect(out === expected).toBe(true);
  });

  it("prints what stands before damage, and says in one line where it is", () => {
    const damaged = join(folder, "damaged.tapio");
    writeFileSync(damaged, whole.subarray(0, whole.length - 1));
    const { status, out, error } = tapio(["batch", "cat", damaged]);
    expect(status).toBe(1);
    expect(expected.startsWith(out)).toBe(true);
    expect(out.split("\n").length).toBeGreaterThan(500);
    expect(error).toMatch(/read columnar batches: ends within a block/);
    expect(error.split("\n").length).toBe(1);
  });

  it("refuses other files", () => {
    expect(tapio(["batch", "cat", SAMPLE_TRACE])).toMatchObject({ status: 1, out: "" });
    expect(tapio(["batch", "cat", join(folder, "none")])).toMatchObject({ status: 1, out: "" });
  });
});
