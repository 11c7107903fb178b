/** Traces opened by their path: which thread reads them, and that nothing outlives the reading. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openTrace } from "#cli/trace_file.ts";
import { BpfError } from "#core/errors.ts";
import {
  type PlainEvent,
  type PlainTrace,
  readOpened,
  SMALL_TRACE,
  writePlain,
} from "#property-tests/arbitraries/traces.ts";
import { expectNothingHeld, openDescriptors, useTraceFolder } from "../support/held.ts";
import { LONG_TRACE } from "../support/threaded_traces.ts";

const { directory, path, threads } = useTraceFolder("trace-file-");

const SMALL = writePlain(SMALL_TRACE).bytes;
/** The long trace four times over, which is what a thread is worth starting for. */
const LARGE_TRACE: PlainTrace = {
  ...LONG_TRACE,
  items: [0n, 1n, 2n, 3n].flatMap((round) =>
    (LONG_TRACE.items as readonly PlainEvent[]).map((event) => ({
      ...event,
      time_ns: event.time_ns + 1_000_000n * round,
    })),
  ),
};
const LARGE = writePlain(LARGE_TRACE).bytes;
const THREADS = availableParallelism() > 1 ? 1 : 0;

describe("a trace", () => {
  it("that is small is read by this thread", async () => {
    writeFileSync(path, SMALL);
    const read = await readOpened(() => openTrace(path));
    expect(read).toMatchObject({ error: undefined, items: SMALL_TRACE.items });
    expect(threads.count).toBe(0);
    await expectNothingHeld(directory, threads);
  });

  it("that is large is read by another thread, where there is a CPU for it", async () => {
    writeFileSync(path, LARGE);
    const read = await readOpened(() => openTrace(path));
    expect(read).toMatchObject({ error: undefined, items: LARGE_TRACE.items });
    expect(threads.count).toBe(THREADS);
    await expectNothingHeld(directory, threads);
  });

  it("that comes through a pipe is read by this thread, however large", async () => {
    execFileSync("mkfifo", [path]);
    const writing = writeFile(path, LARGE);
    const read = await readOpened(() => openTrace(path));
    await writing;
    expect(read).toMatchObject({ error: undefined, items: LARGE_TRACE.items });
    expect(threads.count).toBe(0);
    await expectNothingHeld(directory, threads);
  });

  it.each([
    ["small", SMALL],
    ["large", LARGE],
  ])("that is %s and closed without being read is given back", async (_, bytes) => {
    writeFileSync(path, bytes);
    const reader = await openTrace(path);
    expect(openDescriptors(directory)).toBe(1);
    await reader.close();
    await expectNothingHeld(directory, threads);
  });
});

describe("what is no trace", () => {
  it("but missing is one line that names it", async () => {
    const error = await openTrace(path).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(BpfError);
    const { message } = error as BpfError;
    expect(message).toMatch(/ENOENT/);
    expect(message.startsWith(`read trace ${path}: `)).toBe(true);
    expect(message).not.toContain("\n");
  });

  it("but a folder is one line that names it", async () => {
    await expect(openTrace(directory)).rejects.toThrow(`read trace ${directory}: EISDIR`);
    await expectNothingHeld(directory, threads);
  });

  it("but something else is closed again", async () => {
    writeFileSync(path, LARGE.slice(1));
    await expect(openTrace(path)).rejects.toThrow("this is not a trace");
    expect(threads.count).toBe(0);
    await expectNothingHeld(directory, threads);
  });
});

describe("a process ends by itself", () => {
  /** What a process prints, and how it ends, that has `reader` of a large trace; killed where it does not end. */
  async function run(script: string): Promise<{ code: number | null; out: string; error: string }> {
    writeFileSync(path, LARGE);
    const file = join(import.meta.dirname, "../../cli/trace_file.ts");
    const program = join(directory, "program.ts");
    const text = `import { openTrace } from ${JSON.stringify(file)};
      const reader = await openTrace(${JSON.stringify(path)});
      ${script}
      console.log("done");`;
    writeFileSync(program, text);
    const child = spawn(process.execPath, [program], { timeout: 60_000 });
    let [out, error] = ["", ""];
    child.stdout.on("data", (chunk) => {
      out += chunk;
    });
    child.stderr.on("data", (chunk) => {
      error += chunk;
    });
    await once(child, "close");
    return { code: child.exitCode, out, error };
  }

  it.each([
    ["that read one block", "for await (const _ of reader) break;"],
    ["that read no block and closed the trace", "await reader.close();"],
    ["that read no block and forgot the trace", ""],
    ["that read one block and forgot the trace", "await reader[Symbol.asyncIterator]().next();"],
    ["that read all blocks and did nothing else", "for await (const _ of reader);"],
  ])("%s", async (_, script) => {
    expect(await run(script)).toMatchObject({ code: 0, out: "done\n" });
  });
});
