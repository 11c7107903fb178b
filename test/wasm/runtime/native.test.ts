/** Builds the runtime's C with gcc's sanitizers and runs the cases in `native/`. */
import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { basename, join } from "node:path";
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

/** One object a source, as many at a time as there are processors. */
async function compile(inputs: readonly string[]): Promise<string[]> {
  const waiting = [...inputs];
  const objects: string[] = [];
  const worker = async (): Promise<void> => {
    for (let input = waiting.pop(); input !== undefined; input = waiting.pop()) {
      const object = join(folder, `${basename(input, ".c")}.o`);
      objects.push(object);
      await run("gcc", [...FLAGS, ...SANITIZERS, `-I${RUNTIME}`, "-c", input, "-o", object]);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  return objects;
}

// Compiling everything takes minutes where the machine is busy with other tests.
const TIMEOUT_MS = 600_000;

describe("the runtime's C under AddressSanitizer and UBSan", () => {
  it(
    "passes every native case",
    async () => {
      const program = join(folder, "cases");
      const inputs = [...(await sources(RUNTIME)), ...(await sources(CASES))];
      const objects = await compile(inputs);
      await run("gcc", [...SANITIZERS, ...objects, "-o", program]);
      const { stdout } = await run(program, { env: { ASAN_OPTIONS: "detect_leaks=0" } }).catch(
        (failure: { stdout: string; stderr: string }) => failure,
      );
      const lines = stdout.trim().split("\n");
      expect(lines.filter((line) => !line.startsWith("ok "))).toEqual([]);
      expect(lines.length).toBeGreaterThan(0);
    },
    TIMEOUT_MS,
  );
});
