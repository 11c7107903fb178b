/** `vm trace` as a user meets it. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import { main } from "#cli/main.ts";
import { parseLcov } from "#wasm/coverage/lcov.ts";
import { tapio } from "../../support/tapio.ts";

const SAMPLE = "samples/web-loss.trace";
const folder = mkdtempSync(join(tmpdir(), "tapio-vm-trace-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("vm trace", () => {
  it("shows a run of a collector, and leaves its coverage", () => {
    const file = join(folder, "lcov.info");
    const args = ["--trace", SAMPLE, "--at", "2", "--lines", "--coverage", file];
    const { status, out, error } = tapio(["vm", "trace", "tcp", ...args]);
    expect({ status, error }).toEqual({ status: 0, error: "" });
    expect(out.split("\n")[0]).toMatch(/^run 2: tcp_\w+ on CPU \d at \d+ ns$/);
    expect(out).toMatch(/^bpf\/tcp_monitor\.bpf\.c:\d+ {2}/m);
    const coverage = parseLcov(readFileSync(file, "utf8"));
    expect(coverage.files.get("bpf/tcp_monitor.bpf.c")).toBeDefined();
  });

  it("obeys commands on standard input", () => {
    const { status, out, error } = tapio(["vm", "trace", "syscall", "--step"], "s\nr\nq\n");
    expect({ status, error }).toEqual({ status: 0, error: "" });
    expect(out).toMatch(/=> 0: /);
    expect(out).toMatch(/r10 = 0x[0-9a-f]+ \(fp\)/);
    expect(out.match(/\(step\) /g)?.length).toBe(3);
  });

  it("stops at its limit, and says so", () => {
    const { status, out, error } = tapio(["vm", "trace", "tcp", "--limit", "3", "-o", "json"]);
    expect(status).toBe(0);
    expect(error).toBe(
      "tapio-bpf: stopped after 3 instructions; --limit N shows more, --at N one run",
    );
    expect(
      out
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line).event),
    ).toEqual(["run", ...Array(3).fill("instruction")]);
  });

  it.each([
    [["tcp", "--program", "nope"], 1, /no program nope; it has tcp_state, tcp_retransmit$/],
    [["nope.o"], 1, /^tapio-bpf: open nope\.o: no such file/],
    [["tcp", "--trace", "nope.trace"], 1, /nope\.trace/],
    [["tcp", "--at", "0"], 2, /--at 0: give a whole number from 1/],
    [["tcp", "--step", "-o", "json"], 2, /leave out -o json/],
    [["tcp", "--step", "--lines"], 2, /--step and --lines exclude each other/],
    [["tcp", "--trace", SAMPLE, "--context", "00"], 2, /--trace and --context exclude each other/],
    [["tcp", "--coverage", "/nonexistent/file", "--lines"], 1, /write coverage/],
  ])("refuses %j in one line", async (args, expected, message) => {
    const said: string[] = [];
    const error = vi.spyOn(console, "error").mockImplementation((line) => said.push(line));
    const log = vi.spyOn(console, "log").mockImplementation(() => {});
    try {
      expect(await main(["vm", "trace", ...args])).toBe(expected);
    } finally {
      error.mockRestore();
      log.mockRestore();
    }
    expect(said).toEqual([expect.stringMatching(message)]);
    expect(said[0]).not.toContain("\n");
  });
});
