/** Whatever the command line is given, it answers with one clear line, and neither crashes nor hangs. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compileBpf } from "../support/clang.ts";
import { tapio } from "../support/tapio.ts";

const SAMPLE = "samples/web-loss.trace";
const folder = mkdtempSync(join(tmpdir(), "tapio-bad-"));
const bad = join(folder, "bad.o");

/** The one line that a failing command prints. */
function failure(args: readonly string[], code = 1): string {
  const { status, error, out } = tapio(args);
  expect({ status, lines: error.split("\n").length, out }).toEqual({
    status: code,
    lines: 1,
    out: "",
  });
  return error;
}

function corrupted(name: string, change: (bytes: Uint8Array) => Uint8Array, from: string): string {
  const path = join(folder, name);
  writeFileSync(path, change(new Uint8Array(readFileSync(from))));
  return path;
}

beforeAll(() => writeFileSync(bad, compileBpf("test/testdata/bad_programs/bad_programs.bpf.c")));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const word = (value: number): string => {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32LE(value);
  return bytes.toString("hex");
};

describe("programs that a kernel would refuse", () => {
  const run = (program: string, ...context: number[]): string =>
    failure(["vm", "run", bad, "--program", program, "--context", context.map(word).join("")]);

  it("a load past a map value names instruction, source line and address", () => {
    expect(run("out_of_bounds", 40)).toMatch(
      /program out_of_bounds, instruction \d+ \(r\d = \*\(u64 \*\)\(r\d \+ 0\)\) at .*bad_programs\.bpf\.c:\d+: .*value\[context\[0\]\].*load of 8 bytes/,
    );
  });

  it("a load through NULL is found", () => {
    expect(run("null_pointer", 77)).toMatch(/bad_programs\.bpf\.c:\d+: .*load of 8 bytes at 0x0/);
  });

  it("an endless loop is stopped at its instruction", () => {
    expect(run("endless", 0)).toMatch(/instruction \d+ .*instruction budget used up/);
  });

  it("a store beyond the stack frame is found", () => {
    expect(run("stack_overflow", 600)).toMatch(/store of 1 byte at 0x[0-9a-f]+/);
  });

  it("dividing by zero gives zero, as the kernel defines it", () => {
    const context = [5, 0].map(word).join("");
    const { status, out } = tapio([
      "vm",
      "run",
      bad,
      "--program",
      "divides_by_zero",
      "--context",
      context,
    ]);
    expect({ status, out }).toEqual({ status: 0, out: "divides_by_zero returned 7\n" });
  });
});

describe("objects that cannot be loaded", () => {
  it("a file that is no object", () => {
    expect(failure(["vm", "run", "package.json"])).toMatch(/not an ELF object/);
  });

  it("an object cut short", () => {
    const path = corrupted("cut.o", (bytes) => bytes.subarray(0, 700), bad);
    expect(failure(["vm", "run", path])).toMatch(/truncated/);
  });

  it("an object without BTF", () => {
    const path = join(folder, "no_btf.o");
    writeFileSync(path, compileBpf("int f(void) { return 0; }\n", ["-g0"]));
    expect(failure(["vm", "run", path])).toMatch(/no \.BTF section.*compile with -g/);
  });

  it("a helper that does not exist", () => {
    const path = join(folder, "helper.o");
    const text = `static long (*missing)(void) = (void *)9999;
__attribute__((section("raw_tp/x"))) int f(void *c) { return missing(); }
char LICENSE[] __attribute__((section("license"))) = "GPL";\n`;
    writeFileSync(path, compileBpf(text));
    expect(failure(["vm", "run", path])).toMatch(/helper 9999 does not exist/);
  });

  it("a map type that does not exist", () => {
    const path = join(folder, "map.o");
    const text = `struct { int (*type)[99]; int (*max_entries)[1]; int *key; int *value; } weird
__attribute__((section(".maps"), used));
__attribute__((section("raw_tp/x"))) int f(void *c) { return &weird != 0; }\n`;
    writeFileSync(path, compileBpf(text));
    expect(failure(["vm", "run", path])).toMatch(/create map weird: type 99/);
  });
});

describe("traces that cannot be replayed", () => {
  const replay = (path: string): string => failure(["run", "--trace", path]);

  it("no such file", () => {
    expect(replay(join(folder, "none.trace"))).toMatch(/no such file/);
  });

  it("another kind of file", () => {
    expect(replay("package.json")).toMatch(/this is not a trace/);
  });

  it("a trace cut short", () => {
    const path = corrupted("cut.trace", (bytes) => bytes.subarray(0, 200_000), SAMPLE);
    expect(replay(path)).toMatch(/ends after \d+ records without its trailer/);
  });

  it("a flipped bit", () => {
    const flip = (bytes: Uint8Array): Uint8Array => {
      bytes[300_000]! ^= 4;
      return bytes;
    };
    expect(replay(corrupted("flipped.trace", flip, SAMPLE))).toMatch(/checksum does not match/);
  });
});

describe("wrong usage", () => {
  it.each([
    [[], /no command given/],
    [["fly"], /unknown command "fly"/],
    [["run", "--collector", "none"], /the collectors are tcp, syscall/],
    [["run", "--sink", "paper:x"], /give ndjson:FILE/],
    [["run", "--duration", "-3"], /duration/],
    [["run", "--cpus", "65"], /whole number from 1 to 64/],
    [["run", "-o", "xml"], /the formats are json and table/],
    [["trace", "import"], /wrong number of arguments/],
    [["bench", "none"], /the benches are/],
  ] as const)("%j ends with exit code 2", (args, message) => {
    expect(failure([...args], 2)).toMatch(message);
  });
});
