/** The commands that the README shows do what it says. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const PREFIX = "npm run tapio-bpf -- ";

function commands(file: string): string[] {
  const blocks = [...readFileSync(file, "utf8").matchAll(/```sh\n(.*?)```/gs)];
  const lines = blocks.flatMap((block) => block[1]!.split("\n"));
  return lines.filter((line) => line.startsWith(PREFIX)).map((line) => line.slice(PREFIX.length));
}

describe("commands in the README", () => {
  const shown = commands("README.md");

  it("are there", () => expect(shown.length).toBeGreaterThan(3));

  it.each(shown)("%s", (line) => {
    const run = spawnSync(process.execPath, ["cli/main.ts", ...line.split(" ")], {
      encoding: "utf8",
      timeout: 100_000,
    });
    expect({ status: run.status, error: run.stderr }).toEqual({ status: 0, error: "" });
    expect(run.stdout.length).toBeGreaterThan(0);
  });
});
