/** Builds the runtime's C with gcc's sanitizers and runs the cases in `native/`. */
import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const run = promisify(execFile);
const RUNTIME = new URL("../../../backends/wasm/runtime/", import.meta.url).pathname;
const CASES = new URL("native/", import.meta.url).pathname;
const FLAGS = ["-std=gnu11", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter"];
const SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];

let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tapio-native-"));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function sources(of: string): Promise<string[]> {
  return (await readdir(of)).filter((name) => name.endsWith(".c")).map((name) => join(of, name));
}

describe("the runtime's C under AddressSanitizer and UBSan", () => {
  it("passes every native case", async () => {
    const program = join(folder, "cases");
    const inputs = [...(await sources(RUNTIME)), ...(await sources(CASES))];
    await run("gcc", [...FLAGS, ...SANITIZERS, `-I${RUNTIME}`, ...inputs, "-o", program]);
    const { stdout } = await run(program, { env: { ASAN_OPTIONS: "detect_leaks=0" } }).catch(
      (failure: { stdout: string; stderr: string }) => failure,
    );
    const lines = stdout.trim().split("\n");
    expect(lines.filter((line) => !line.startsWith("ok "))).toEqual([]);
    expect(lines.length).toBeGreaterThan(0);
  });
});
