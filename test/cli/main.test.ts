import { afterEach, expect, it, vi } from "vitest";
import { main } from "#cli/main.ts";

afterEach(() => vi.restoreAllMocks());

/** The command line in this process: what it returns and prints. */
async function tapio(args: readonly string[]) {
  const lines = { out: [] as string[], error: [] as string[] };
  vi.spyOn(console, "log").mockImplementation((line: string) => void lines.out.push(line));
  vi.spyOn(console, "error").mockImplementation((line: string) => void lines.error.push(line));
  const status = await main(args);
  return { status, out: lines.out.join("\n"), error: lines.error.join("\n") };
}

it.each([
  [[], /no command given; tapio-bpf --help lists/],
  [["nope"], /unknown command "nope"/],
  [["trace"], /trace is part of a command: trace import, trace cut/],
  [["vm", "nope"], /vm is part of a command: vm exec, vm run/],
  [["run", "extra"], /wrong number of arguments; usage: tapio-bpf run/],
  [["run", "--nope"], /--nope.*usage: tapio-bpf run/],
  [["doctor", "-o", "xml"], /-o xml: the formats are json and table/],
])("%j is a usage error of one line", async (args, message) => {
  const { status, out, error } = await tapio(args);
  expect({ status, out, lines: error.split("\n").length }).toEqual({
    status: 2,
    out: "",
    lines: 1,
  });
  expect(error).toMatch(message);
});

it("help names every command, and each command's own says how it is called", async () => {
  const { status, out } = await tapio(["--help"]);
  expect(status).toBe(0);
  const commands = [...out.matchAll(/^ {2}(\w+(?: \w+)?) {2}/gm)].map(([, words]) => words!);
  expect(commands).toContain("trace import");
  for (const command of commands) {
    const help = await tapio([...command.split(" "), "--help"]);
    expect(help.status).toBe(0);
    expect(help.out).toContain(`usage: tapio-bpf ${command}`);
  }
});
