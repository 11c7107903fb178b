import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { commBytes, taskFacts } from "#core/trace/task_facts.ts";
import {
  type PlainEvent,
  type PlainTrace,
  readPlain,
  schemaWith,
  writePlain,
} from "#property-tests/arbitraries/traces.ts";

const DOCUMENT = new URL("../../docs/trace-format.md", import.meta.url);

/** The bytes of the hex dump in the document. */
function documentedBytes(): Uint8Array {
  const lines = readFileSync(DOCUMENT, "utf8").matchAll(/^[0-9a-f]{4} {2}((?:[0-9a-f]{2} ?)+)/gm);
  const bytes = [...lines].flatMap(([, hex]) => hex!.trim().split(" "));
  return Uint8Array.from(bytes, (byte) => Number.parseInt(byte, 16));
}

/** What the document says the dump holds. */
function documentedTrace(): PlainTrace {
  const fields = [{ name: "code", offset: 4, size: 4, signed: true, count: 1 }];
  const layout = { id: 0, hook: "tracepoint/a/b", struct: "trace_event_raw_b", size: 8, fields };
  const task = taskFacts({ pid: 17, tid: 18, comm: commBytes("nginx") });
  const event = (time_ns: bigint, cpu: number, code: number): PlainEvent => {
    const context = Uint8Array.of(0, 0, 0, 0, code, 0, 0, 0);
    return { kind: "event", time_ns, cpu, task, hook: 0, context };
  };
  return {
    schema: {
      ...schemaWith([layout], 2),
      source: "an example",
      taskFacts: ["pid", "tid", "comm"],
    },
    items: [event(5_000_000_000n, 0, 42), event(5_000_000_250n, 1, 43)],
    taskSlots: 16,
    blockRecords: 4096,
  };
}

it("the documented bytes are read as documented", async () => {
  const { schema, items } = documentedTrace();
  expect(await readPlain([documentedBytes()])).toMatchObject({ schema, items, error: undefined });
});

it("the documented trace is written as documented, byte for byte", () => {
  const { bytes } = writePlain(documentedTrace());
  expect(Buffer.from(bytes).toString("hex")).toBe(Buffer.from(documentedBytes()).toString("hex"));
});
