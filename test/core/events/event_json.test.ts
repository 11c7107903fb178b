import { expect, it } from "vitest";
import { readArtifact } from "#cli/artifacts.ts";
import { parseBtf } from "#core/btf/parse.ts";
import { COLLECTORS } from "#core/events/collectors.ts";
import { eventObject } from "#core/events/event_json.ts";
import { createEventSchema } from "#core/events/event_schema.ts";
import { parseElf } from "#wasm/loader/elf.ts";

const collector = COLLECTORS.get("tcp")!;
const elf = parseElf(readArtifact(`bpf/${collector.object}`), "tcp");
const btf = parseBtf(elf.sections.find(({ name }) => name === ".BTF")!.data);
const schema = createEventSchema(btf, collector);
const { codec, size } = schema.types.get(1)!;

function decode(value: Record<string, unknown>, length = size) {
  const buffer = new Uint8Array(size);
  codec.encode(value, buffer, 0);
  const view = new DataView(buffer.buffer);
  const offsets = Uint32Array.of(0);
  return eventObject(
    { buffer, view, offsets, lengths: Uint32Array.of(length), count: 1 },
    0,
    schema,
  );
}

const HEADER = { type: 1, pid: 7, command: "curl", timestamp_ns: 5n };

it("header and body stand side by side under the event's name; padding and lengths do not", () => {
  const event = decode({ header: HEADER, family: 2, source_port: 80 })!;
  expect(event).toMatchObject({
    event: "tcp_state",
    pid: 7,
    command: "curl",
    timestamp_ns: 5,
    source_port: 80,
  });
  for (const name of ["header", "length", "type", "reserved"])
    expect(event).not.toHaveProperty(name);
});

it("integers are numbers while they are exact, and text beyond", () => {
  const most = BigInt(Number.MAX_SAFE_INTEGER);
  expect(decode({ header: { ...HEADER, timestamp_ns: most } })!["timestamp_ns"]).toBe(Number(most));
  const beyond = decode({ header: { ...HEADER, timestamp_ns: most + 1n } })!;
  expect(beyond["timestamp_ns"]).toBe("9007199254740992");
  expect(() => JSON.stringify(beyond)).not.toThrow();
});

it("identities, thresholds and randomness are hexadecimal", () => {
  const socket = 0xffff_8881_0000_0abcn;
  const event = decode({ header: { ...HEADER, sampling: 1n << 56n, randomness: 255n }, socket })!;
  expect(event).toMatchObject({
    socket: "0xffff888100000abc",
    sampling: "0x100000000000000",
    randomness: "0xff",
  });
});

it("addresses follow the family", () => {
  const source_address = Uint8Array.from({ length: 16 }, (_, i) => (i === 15 ? 1 : 0));
  expect(decode({ header: HEADER, family: 10, source_address })!["source_address"]).toBe("::1");
  expect(decode({ header: HEADER, family: 2, source_address })!["source_address"]).toBe("0.0.0.0");
});

it.each([
  ["of an unknown type", { ...HEADER, type: 99 }, size],
  ["shorter than its type", HEADER, size - 1],
  ["shorter than a header", HEADER, 4],
])("a record %s is no event", (_, header, length) => {
  expect(decode({ header }, length)).toBeUndefined();
});
