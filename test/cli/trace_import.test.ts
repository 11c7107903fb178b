import { execFileSync, spawn } from "node:child_process";
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type TraceImportSummary, traceImport } from "#cli/trace_import.ts";
import { decompressBlock } from "#cli/zstd.ts";
import { BpfError } from "#core/errors.ts";
import { commText } from "#core/trace/task_facts.ts";
import { type PlainEvent, readPlain } from "#property-tests/arbitraries/traces.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "trace-import-"));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

const S =
  "S\t5000000100\t1\t17\t18\tnginx\t7\tffff888108594a00\t7\t2\t40000\t8080\t2\t10.77.0.1\t10.77.0.2";
const R =
  "R\t5000000200\t0\t0\t0\tswapper/0\t1\tffff88816c259280\t4\t8080\t50972\t10\tfe80::1\t::ffff:1.2.3.4";
const Y = "Y\t5000000300\t1\t17\t18\tnginx\t7\t45\t-11\t250";

async function importBytes(
  contents: string | Uint8Array,
): Promise<{ summary: TraceImportSummary; events: PlainEvent[]; cpus: number | undefined }> {
  const input = join(directory, "in.tsv");
  const output = join(directory, "out.trace");
  writeFileSync(input, contents);
  const summary = await traceImport({ input, output, log: () => {} });
  expect(readdirSync(directory).sort()).toEqual(["in.tsv", "out.trace"]);
  const bytes = readFileSync(output);
  expect(summary.bytes).toBe(bytes.length);
  const read = await readPlain([bytes], decompressBlock);
  expect(read.error).toBeUndefined();
  return { summary, events: read.items as PlainEvent[], cpus: read.schema?.cpus };
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

describe("an imported line", () => {
  it("S has the context of inet_sock_set_state", async () => {
    const { events, cpus } = await importBytes(`${S}\n`);
    const [{ time_ns, cpu, task, hook, context }] = events as [PlainEvent];
    expect({ time_ns, cpu, hook, cpus }).toEqual({
      time_ns: 5_000_000_100n,
      cpu: 1,
      hook: 0,
      cpus: 2,
    });
    expect(task).toMatchObject({ pid: 17, tid: 18, cgroup_id: 7n });
    expect(commText(task.comm)).toBe("nginx");
    expect(hex(context)).toBe(
      [
        "0000000012000000", // ent, with pid = tid
        "004a59088188ffff", // skaddr
        "0700000002000000", // states
        "409c901f02000600", // ports in host order, AF_INET, IPPROTO_TCP
        "0a4d00010a4d0002",
        "00000000000000000000ffff0a4d0001",
        "00000000000000000000ffff0a4d0002",
      ].join(""),
    );
  });

  it("R has the context of tcp_retransmit_skb, IPv6 here", async () => {
    const { events, cpus } = await importBytes(`${R}\n`);
    const [{ time_ns, cpu, hook, context }] = events as [PlainEvent];
    expect({ time_ns, cpu, hook, cpus }).toEqual({
      time_ns: 5_000_000_200n,
      cpu: 0,
      hook: 1,
      cpus: 1,
    });
    expect(hex(context)).toBe(
      [
        "0000000000000000",
        "0000000000000000", // skbaddr was not recorded
        "8092256c8188ffff",
        "04000000901f1cc7",
        "0a00",
        "0000000001020304", // only what is mapped has an IPv4 address
        "fe800000000000000000000000000001",
        "00000000000000000000ffff01020304",
        "0000",
        "00000000", // err
      ].join(""),
    );
  });

  it("Y is an enter, latency before, and an exit", async () => {
    const { summary, events } = await importBytes(`${Y}\n`);
    expect(events.map(({ time_ns, hook }) => [time_ns, hook])).toEqual([
      [5_000_000_050n, 2],
      [5_000_000_300n, 3],
    ]);
    expect(hex(events[0]!.context)).toBe(`00000000120000002d${"00".repeat(7 + 48)}`);
    expect(hex(events[1]!.context)).toBe(`00000000120000002d${"00".repeat(7)}f5ffffffffffffff`);
    expect(summary).toMatchObject({
      lines: { S: 0, R: 0, Y: 1 },
      records: 2,
      adjusted: 0,
      tasks: 1,
    });
  });
});

describe("an import", () => {
  it("puts events in order of time", async () => {
    const { events } = await importBytes(`${Y}\n${R}\n${S}\n`);
    expect(events.map(({ hook }) => hook)).toEqual([2, 0, 1, 3]);
  });

  it("moves an enter that overlaps the thread's previous call to that call's exit", async () => {
    const call = (exit: number, latency: number, tid: number): string =>
      `Y\t${exit}\t0\t1\t${tid}\tx\t1\t${exit}\t0\t${latency}\n`;
    // The second call of thread 1 seems to start before its first; thread 2 is not concerned.
    const lines = call(100, 10, 1) + call(130, 50, 1) + call(140, 10, 1) + call(135, 60, 2);
    const { summary, events } = await importBytes(lines);
    expect(summary.adjusted).toBe(1);
    expect(events.map(({ time_ns, hook, task }) => `${time_ns} ${task.tid} ${hook}`)).toEqual([
      "75 2 2",
      "90 1 2",
      "100 1 3",
      "100 1 2",
      "130 1 3",
      "130 1 2",
      "135 2 3",
      "140 1 3",
    ]);
  });

  it("reads zstd, in several frames, whatever the file is called", async () => {
    const frames = [S, R, Y].map((line) => zstdCompressSync(`${line}\n`));
    const skippable = Uint8Array.of(0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9, 9);
    const { summary } = await importBytes(Buffer.concat([skippable, ...frames, skippable]));
    expect(summary.lines).toEqual({ S: 1, R: 1, Y: 1 });
  });

  it("of an empty file is a trace without events", async () => {
    const { summary } = await importBytes("");
    expect(summary).toMatchObject({ records: 0, lines: { S: 0, R: 0, Y: 0 } });
  });

  it("replaces an older trace", async () => {
    writeFileSync(join(directory, "out.trace"), "old");
    expect((await importBytes(`${S}\n`)).summary.records).toBe(1);
  });

  it("gives the same bytes again", async () => {
    const text = `${Y}\n${R}\n${S}\n`;
    await importBytes(text);
    const first = readFileSync(join(directory, "out.trace"));
    await importBytes(text);
    expect(readFileSync(join(directory, "out.trace"))).toEqual(first);
  });
});

/** The line with one column replaced. */
function set(line: string, column: number, value: string): string {
  return line.split("\t").with(column, value).join("\t");
}

async function failure(contents: string | Uint8Array): Promise<string> {
  const input = join(directory, "in.tsv");
  const output = join(directory, "out.trace");
  writeFileSync(input, contents);
  writeFileSync(output, "old");
  const error = await traceImport({ input, output, log: () => {} }).catch((caught) => caught);
  expect(error).toBeInstanceOf(BpfError);
  const { message } = error as BpfError;
  expect(message).not.toContain("\n");
  expect(readdirSync(directory).sort()).toEqual(["in.tsv", "out.trace"]);
  expect(readFileSync(output, "utf8")).toBe("old");
  return message.replace(`trace import ${input}: `, "");
}

describe("a malformed line is named with its number and the reason, and nothing is written", () => {
  it.each([
    ["", "it starts with none of the kinds S, R and Y"],
    ["X\t1", "it starts with none of the kinds S, R and Y"],
    ["Your", "it starts with none of the kinds S, R and Y"],
    [`${Y}\t1`, "it has 11 columns instead of 10"],
    ["S\t1\t2", "it has 3 columns instead of 15"],
    [set(Y, 1, ""), 'ts_ns is "", not a number of nanoseconds'],
    [set(Y, 1, "1.5"), 'ts_ns is "1.5", not a number of nanoseconds'],
    [set(Y, 1, "249"), "latency_ns exceeds ts_ns"],
    [set(Y, 2, "65536"), 'cpu is "65536", not a number from 0 to 65535'],
    [set(Y, 3, "-1"), 'pid is "-1", not a number from 0 to 4194303'],
    [set(Y, 4, "4194304"), 'tid is "4194304", not a number from 0 to 4194303'],
    [set(Y, 5, "sixteen bytes !!"), "comm has more than 15 bytes"],
    [set(Y, 6, "18446744073709551616"), 'cgroup_id is "18446744073709551616", not a number'],
    [set(Y, 7, "read"), 'syscall_nr is "read", not a number'],
    [set(Y, 8, ""), 'ret is "", not a number'],
    [set(Y, 9, "-1"), 'latency_ns is "-1", not a number of nanoseconds'],
    [`${Y}\r`, 'latency_ns is "250\\r", not a number of nanoseconds'],
    [set(S, 7, "0xff"), 'skaddr is "0xff", not a hexadecimal address'],
    [set(S, 9, "-1"), 'newstate is "-1", not a number from 0 to 2147483647'],
    [set(S, 10, "65536"), 'sport is "65536", not a number from 0 to 65535'],
    [set(S, 12, "1"), "family is 1, not 2 (IPv4) or 10 (IPv6)"],
    [set(S, 13, "10.77.0"), 'saddr is "10.77.0", not an IPv4 address'],
    [set(R, 13, "10.77.0.1"), 'daddr is "10.77.0.1", not an IPv6 address'],
    [set(S, 1, "\u001b[31m"), 'ts_ns is "\\u001b[31m", not a number of nanoseconds'],
  ])("%j", async (line, reason) => {
    expect(await failure(`${S}\n${Y}\n${line}\n${S}\n`)).toBe(`line 3: ${reason}`);
  });

  it("a line longer than any recorder writes", async () => {
    const line = set(S, 5, "x".repeat(5000));
    expect(await failure(`${S}\n${line}\n`)).toBe("line 2: longer than 4096 bytes");
  });

  it("a last line without its end", async () => {
    const hint = "record it again, or end the line if it is whole";
    expect(await failure(`${S}\n${Y}`)).toBe(`line 2: the file ends within it; ${hint}`);
  });
});

describe("a damaged compressed file is refused", () => {
  const frame = zstdCompressSync(`${S}\n`.repeat(1000));
  it("one that needs an absurd window", async () => {
    const absurd = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0, 0xff, 1, 0, 0);
    expect(await failure(absurd)).toBe("the compressed file needs a window of more than 128 MiB");
  });

  it.each([
    ["cut short", frame.subarray(0, -1), "the compressed file is cut short"],
    ["cut in its second frame", Buffer.concat([frame, frame.subarray(0, 9)]), "is cut short"],
    ["followed by text", Buffer.concat([frame, Buffer.from(`${S}\n`)]), "goes on with other data"],
    ["with a flipped bit", frame.with(6, frame[6]! ^ 6), "the compressed file is damaged"],
  ])("%s", async (_, bytes, reason) => {
    expect(await failure(bytes)).toContain(reason);
  });
});

describe("files that cannot be used are named in one line", () => {
  it("no input", async () => {
    const input = join(directory, "missing.tsv");
    const output = join(directory, "out.trace");
    const importing = traceImport({ input, output, log: () => {} });
    await expect(importing).rejects.toThrow(/ENOENT.*missing\.tsv/);
    expect(readdirSync(directory)).toEqual([]);
  });

  it("no folder for the output", async () => {
    const input = join(directory, "in.tsv");
    const output = join(directory, "missing", "out.trace");
    writeFileSync(input, `${S}\n`);
    const importing = traceImport({ input, output, log: () => {} });
    await expect(importing).rejects.toThrow(/ENOENT/);
  });

  it("a folder as output", async () => {
    const input = join(directory, "in.tsv");
    const output = join(directory, "out.trace");
    writeFileSync(input, `${S}\n`);
    mkdirSync(output);
    const importing = traceImport({ input, output, log: () => {} });
    await expect(importing).rejects.toThrow(/EISDIR/);
    expect(readdirSync(directory).sort()).toEqual(["in.tsv", "out.trace"]);
  });
});

describe("a signal", () => {
  it.each(["SIGINT", "SIGTERM"] as const)(
    "%s ends an import and leaves nothing",
    async (signal) => {
      const input = join(directory, "fifo");
      execFileSync("mkfifo", [input]);
      const fifo = openSync(input, "r+"); // with a reader of its own, so that opening never waits
      const output = join(directory, "out.trace");
      const script = `import { traceImport } from "#cli/trace_import.ts";
      await traceImport({ input: ${JSON.stringify(input)}, output: ${JSON.stringify(output)},
        log: () => {}, runBytes: 4096 });`;
      const child = spawn(process.execPath, ["--input-type=module", "-e", script]);
      const ended = new Promise((resolve) => {
        child.on("exit", (_, by) => resolve(by));
      });
      writeSync(fifo, `${S}\n`.repeat(500));
      await until(() =>
        readdirSync(directory, { recursive: true }).some((f) => /lines-/.test(`${f}`)),
      );
      child.kill(signal);
      expect(await ended).toBe(signal);
      closeSync(fifo);
      expect(readdirSync(directory)).toEqual(["fifo"]);
    },
  );
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}
