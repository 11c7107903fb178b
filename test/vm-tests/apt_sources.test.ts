import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { machineSources, sourcesOfSuite } from "#vm-tests/harness/apt_sources.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "apt-"));
  mkdirSync(join(folder, "sources.list.d"));
  const lines = [
    "# deb http://mirror.test/commented bookworm main",
    "deb [arch=amd64 signed-by=/keys/a.gpg] http://mirror.test/debian bookworm main contrib",
    "deb-src http://mirror.test/sources bookworm main",
  ];
  writeFileSync(join(folder, "sources.list"), lines.join("\n"));
  const stanzas = [
    "Types: deb",
    "# URIs: http://mirror.test/comment",
    "URIs: http://mirror.test/security",
    "Suites: bookworm-security",
    "Components: main",
    "Signed-By: /keys/b.gpg",
    "",
    "Types: deb",
    "Enabled: no",
    "URIs: http://mirror.test/disabled",
    "Suites: bookworm",
  ];
  writeFileSync(join(folder, "sources.list.d/debian.sources"), stanzas.join("\n"));
  writeFileSync(join(folder, "sources.list.d/tool.list"), "deb http://tool.test/apt stable main\n");
  writeFileSync(join(folder, "sources.list.d/old.save"), "deb http://old.test bookworm main\n");
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("sources of another suite", () => {
  test("come from the machine's entries of the same kind, with their keys", () => {
    const sources = machineSources(folder);
    expect(sourcesOfSuite("trixie-backports", sources, "bookworm")).toBe(
      "deb [signed-by=/keys/a.gpg] http://mirror.test/debian trixie-backports main\n",
    );
    expect(sourcesOfSuite("bullseye-security", sources, "bookworm")).toBe(
      "deb [signed-by=/keys/b.gpg] http://mirror.test/security bullseye-security main\n",
    );
  });

  test("are refused where the machine has none of its own release", () => {
    const sources = machineSources(folder);
    expect(() => sourcesOfSuite("trixie", sources, "forky")).toThrow(/no source of forky/);
  });

  test("a folder without sources has none", () => {
    expect(machineSources(join(folder, "none"))).toEqual([]);
  });
});
