import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NotSupportedError } from "#core/errors.ts";
import { crc32c } from "#core/trace/crc32c.ts";
import { TraceError } from "#core/trace/error.ts";
import { BLOCK_HEADER, FILE_HEADER } from "#core/trace/format.ts";
import { TraceReader } from "#core/trace/reader.ts";
import { concat, readPlain, SMALL_TRACE, writePlain } from "#property-tests/arbitraries/traces.ts";
import { checkAsyncProperty } from "#property-tests/property.ts";

const { bytes: SMALL } = writePlain(SMALL_TRACE);

/** Cuts a stored trace into its file header and its blocks. */
function parts(bytes: Uint8Array): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let end = FILE_HEADER.size + view.getUint32(FILE_HEADER.schemaLength, true);
  const found = [bytes.slice(0, end)];
  while (end < bytes.length) {
    const start = end;
    end += BLOCK_HEADER.size + view.getUint32(start + BLOCK_HEADER.storedLength, true);
    found.push(bytes.slice(start, end));
  }
  return found;
}

/** Makes the checksum right again after a change, as only a wrong writer would. */
function seal(block: Uint8Array): Uint8Array {
  const view = new DataView(block.buffer);
  const header = crc32c(block, 0, BLOCK_HEADER.crc);
  const crc = crc32c(block, BLOCK_HEADER.size, block.length, header);
  view.setUint32(BLOCK_HEADER.crc, crc, true);
  return block;
}

/** Reads `SMALL` with one block changed (0 = tasks, 1 = events, 2 = loss, 3 = events, 4 = trailer). */
async function readChanged(index: number, change: (view: DataView) => void): Promise<unknown> {
  const [header, ...blocks] = parts(SMALL);
  const block = blocks[index]!;
  change(new DataView(block.buffer));
  seal(block);
  return (await readPlain([header!, ...blocks])).error;
}

const PAYLOAD = BLOCK_HEADER.size;
// Of the first event block, which has two records: base, deltas, CPUs, slots, hooks, padding.
const DELTAS = PAYLOAD + 8;
const CPUS = DELTAS + 8;
const SLOTS = CPUS + 4;
const HOOKS = SLOTS + 4;
const PADDING = HOOKS + 2;

describe("blocks with a right checksum and wrong contents are corrupt", () => {
  it.each<[string, number, (view: DataView) => void, RegExp]>([
    ["unknown type", 1, (v) => v.setUint8(BLOCK_HEADER.type, 9), /type 9/],
    ["unknown flag", 1, (v) => v.setUint8(BLOCK_HEADER.flags, 2), /unknown flags/],
    ["reserved bits", 1, (v) => v.setUint8(BLOCK_HEADER.reserved, 1), /unknown flags/],
    ["sequence", 1, (v) => v.setUint32(BLOCK_HEADER.sequence, 2, true), /out of place/],
    ["lengths", 1, (v) => v.setUint32(BLOCK_HEADER.rawLength, 3, true), /two lengths/],
    ["no records", 1, (v) => v.setUint32(BLOCK_HEADER.records, 0, true), /empty/],
    ["more records", 1, (v) => v.setUint32(BLOCK_HEADER.records, 40, true), /shorter than/],
    ["fewer records", 0, (v) => v.setUint32(BLOCK_HEADER.records, 0, true), /record count/],
    ["late start", 1, (v) => v.setUint32(DELTAS, 1, true), /base time/],
    ["time between blocks", 3, (v) => v.setUint32(PAYLOAD + 4, 0, true), /older/],
    ["CPU", 1, (v) => v.setUint16(CPUS, 2, true), /CPU 2 of 2/],
    ["task slot", 1, (v) => v.setUint16(SLOTS, 1, true), /free task slot 1/],
    ["hook", 1, (v) => v.setUint8(HOOKS, 3), /hook 3/],
    ["context length", 1, (v) => v.setUint8(HOOKS, 2), /as long as/],
    ["padding", 1, (v) => v.setUint8(PADDING, 1), /padding/],
    ["slot of a definition", 0, (v) => v.setUint32(PAYLOAD, 65536, true), /task definition/],
    ["reserved bytes of a task", 0, (v) => v.setUint8(PAYLOAD + 68, 1), /task definition/],
    ["loss reason", 2, (v) => v.setUint32(PAYLOAD, 99, true), /loss record/],
    ["loss count", 2, (v) => v.setUint32(PAYLOAD + 12, 0xffffffff, true), /loss record/],
    ["trailer's records", 4, (v) => v.setUint32(PAYLOAD, 4, true), /totals differ/],
    ["trailer's last count", 4, (v) => v.setUint32(PAYLOAD + 48, 1, true), /totals differ/],
    ["trailer's hooks", 4, (v) => v.setUint32(BLOCK_HEADER.records, 1, true), /fit the schema/],
  ])("%s", async (_, index, change, message) => {
    const error = await readChanged(index, change);
    expect(error).toBeInstanceOf(TraceError);
    expect(error).toMatchObject({ reason: "corrupt", message: expect.stringMatching(message) });
  });

  it("whatever byte a wrong writer changed, the outcome is a TraceError or a checked trace", async () => {
    await checkAsyncProperty(
      "trace with a resealed change",
      fc.asyncProperty(fc.nat(4), fc.nat(), fc.nat(255), async (index, at, value) => {
        const error = await readChanged(index, (view) => {
          const offset = at % view.byteLength;
          const length = BLOCK_HEADER.storedLength;
          if (offset < length || offset >= length + 4) view.setUint8(offset, value);
        });
        if (error !== undefined) expect(error).toBeInstanceOf(TraceError);
      }),
    );
  });

  it("time that goes back within a block", async () => {
    const items = [0, 1, 2].map(() => SMALL_TRACE.items[0]!);
    const [header, tasks, events, trailer] = parts(writePlain({ ...SMALL_TRACE, items }).bytes);
    new DataView(events!.buffer).setUint32(DELTAS + 4, 1, true);
    const { error } = await readPlain([header!, tasks!, seal(events!), trailer!]);
    expect(String(error)).toMatch(/an event is older than the one before it/);
  });

  it("a block left out, repeated or after the trailer", async () => {
    const [header, ...blocks] = parts(SMALL);
    for (let i = 0; i < blocks.length - 1; i++) {
      const without = await readPlain([header!, ...blocks.toSpliced(i, 1)]);
      expect(without.error).toMatchObject({ reason: "corrupt" });
      const twice = await readPlain([header!, ...blocks.toSpliced(i, 0, blocks[i]!)]);
      expect(twice.error).toMatchObject({ reason: "corrupt" });
    }
    const after = await readPlain([SMALL, Uint8Array.of(0)]);
    expect(after.error).toMatchObject({ reason: "corrupt", offset: SMALL.length });
    expect(after.totals).toBeUndefined();
  });
});

describe("limits", () => {
  it("a block over 1 MiB is refused before it is read", async () => {
    const error = await readChanged(1, (v) => v.setUint32(BLOCK_HEADER.rawLength, 1 << 21, true));
    expect(error).toMatchObject({ reason: "limit" });
  });

  it("a block over 4,096 records is refused", async () => {
    const error = await readChanged(1, (v) => v.setUint32(BLOCK_HEADER.records, 4097, true));
    expect(error).toMatchObject({ reason: "limit" });
  });

  it("a schema over 1 MiB is refused before it is read", async () => {
    const bytes = SMALL.slice();
    new DataView(bytes.buffer).setUint32(FILE_HEADER.schemaLength, 0xffffffff, true);
    expect((await readPlain([bytes])).error).toMatchObject({ reason: "limit" });
  });
});

describe("the file header", () => {
  it("of another version names both versions and what to do", async () => {
    const bytes = SMALL.slice();
    bytes[FILE_HEADER.version] = 2;
    const { error } = await readPlain([bytes]);
    expect(error).toMatchObject({ reason: "version", code: "EOPNOTSUPP" });
    expect(String(error)).toMatch(/format version 2, this reads version 1 .*; update tapio-bpf/);
  });

  it.each([
    ["an ELF object", Uint8Array.of(0x7f, 0x45, 0x4c, 0x46)],
    ["text", new TextEncoder().encode("Y\t1331816559777\t1\t17929\t17929\tredis-server\n")],
  ])("of %s: this is not a trace", async (_, bytes) => {
    const { error } = await readPlain([bytes]);
    expect(error).toMatchObject({ reason: "corrupt", offset: 0 });
    expect(String(error)).toContain("this is not a trace");
  });

  it.each([
    ["not JSON", "{", /not JSON/],
    ["without members", "{}", /schema member "source"/],
    ["with a field outside its context", fieldAt(2), /schema member "hooks.0": a field ends after/],
    ["with two hooks of one id", JSON.stringify(twoHooks()), /schema member "hooks": two hooks/],
  ])("with a schema %s", async (_, json, message) => {
    const { error } = await readPlain([fileHeader(json)]);
    expect(error).toMatchObject({ reason: "corrupt", message: expect.stringMatching(message) });
  });

  it("with schema members of a later release is read", async () => {
    const [, ...blocks] = parts(SMALL);
    const header = fileHeader(JSON.stringify({ ...SMALL_TRACE.schema, weather: "fair" }));
    const read = await readPlain([header, ...blocks]);
    expect(read.error).toBeUndefined();
    expect(read.schema).toEqual(SMALL_TRACE.schema);
  });
});

describe("the source", () => {
  function source(bytes: Uint8Array): {
    stream: AsyncGenerator<Uint8Array>;
    closed: () => boolean;
  } {
    let closed = false;
    async function* stream() {
      try {
        for (let at = 0; at < bytes.length; at += 10) yield bytes.slice(at, at + 10);
      } finally {
        closed = true;
      }
    }
    return { stream: stream(), closed: () => closed };
  }

  it("is closed when the loop is left early, and when the header is bad", async () => {
    const good = source(SMALL);
    for await (const _ of await TraceReader.open(good.stream)) break;
    expect(good.closed()).toBe(true);
    const bad = source(SMALL.slice(1));
    await expect(TraceReader.open(bad.stream)).rejects.toThrow(TraceError);
    expect(bad.closed()).toBe(true);
  });

  it("passes its own errors through", async () => {
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield SMALL.slice(0, -5);
      throw new Error("disk on fire");
    }
    const reader = await TraceReader.open(failing());
    await expect(drain(reader)).rejects.toThrow("disk on fire");
  });

  it("is read once", async () => {
    const reader = await TraceReader.open(source(SMALL).stream);
    await drain(reader);
    await expect(drain(reader)).rejects.toThrow("read before");
  });
});

it("refuses a compressed trace where nothing was given to decompress it", async () => {
  const compress = (raw: Uint8Array) => raw.slice(0, 1);
  const { error } = await readPlain([writePlain(SMALL_TRACE, compress).bytes]);
  expect(error).toBeInstanceOf(NotSupportedError);
});

it("refuses what decompresses to another length than the block says", async () => {
  const compress = (raw: Uint8Array) => raw.slice(0, 1);
  const { bytes } = writePlain(SMALL_TRACE, compress);
  for (const difference of [-1, 1]) {
    const decompress = (_: Uint8Array, length: number) => new Uint8Array(length + difference);
    const { error } = await readPlain([bytes], decompress);
    expect(error).toMatchObject({ reason: "corrupt" });
  }
});

async function drain(reader: TraceReader): Promise<void> {
  for await (const _ of reader);
}

function fileHeader(json: string): Uint8Array {
  const text = new TextEncoder().encode(json);
  const bytes = concat([SMALL.slice(0, FILE_HEADER.size), text]);
  const view = new DataView(bytes.buffer);
  view.setUint32(FILE_HEADER.schemaLength, text.length, true);
  const crc = crc32c(text, 0, text.length, crc32c(bytes, 0, FILE_HEADER.crc));
  view.setUint32(FILE_HEADER.crc, crc, true);
  return bytes;
}

function fieldAt(offset: number): string {
  const field = { name: "last", offset, size: 8, signed: false, count: 1 };
  const hook = { id: 0, hook: "tracepoint/a/b", struct: "b", size: 8, fields: [field] };
  return JSON.stringify({ ...SMALL_TRACE.schema, hooks: [hook] });
}

function twoHooks(): unknown {
  const hook = { id: 0, hook: "tracepoint/a/b", struct: "b", size: 8, fields: [] };
  return { ...SMALL_TRACE.schema, hooks: [hook, hook] };
}
