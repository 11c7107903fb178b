/** Nothing stays behind: descriptors, mappings and links after many cycles, failed ones included. */
import { readdirSync, readFileSync } from "node:fs";
import { setImmediate as turn } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { expect, it } from "vitest";
import { compileBpf } from "../support/clang.ts";
import { compileCycleObjects, cycle } from "./cycles.ts";
import { describeNative } from "./native.ts";

/** All of them with `npm run test:native`, which has the time. */
const CYCLES = process.env["TAPIO_NATIVE"] === "1" ? 1000 : 100;

const openDescriptors = (): number => readdirSync("/proc/self/fd").length;

/** Mappings of BPF objects; others come and go with the garbage collector. */
const bpfMappings = (): number =>
  readFileSync("/proc/self/maps", "utf8")
    .split("\n")
    .filter((line) => line.includes("bpf")).length;

describeNative("many cycles of open, load, attach and close", () => {
  it("leave no descriptor and no mapping", async () => {
    const objects = compileCycleObjects();
    // The first cycles start what stays: the watching thread, libbpf's probes.
    for (let round = 0; round < 8; round++) await cycle(objects, round);
    await turn();
    const before = { descriptors: openDescriptors(), mappings: bpfMappings() };
    for (let round = 0; round < CYCLES; round++) {
      await cycle(objects, round);
      if (round % 50 === 0) await turn();
    }
    await turn();
    expect({ descriptors: openDescriptors(), mappings: bpfMappings() }).toEqual(before);
  });
});

describeNative("a worker thread that ends without closing anything", () => {
  it("leaves no descriptor and no mapping", async () => {
    const object = compileBpf("test/kernel/ring.bpf.c");
    const run = async (exit: boolean): Promise<void> => {
      const worker = new Worker(new URL("abandon_worker.ts", import.meta.url), {
        workerData: { object, exit },
      });
      worker.on("error", (error) => expect.unreachable(String(error)));
      await new Promise((resolve) => worker.once(exit ? "exit" : "message", resolve));
      await worker.terminate();
    };
    await run(true);
    const before = { descriptors: openDescriptors(), mappings: bpfMappings() };
    for (let round = 0; round < 20; round++) await run(round % 2 === 0);
    expect({ descriptors: openDescriptors(), mappings: bpfMappings() }).toEqual(before);
  });
});
