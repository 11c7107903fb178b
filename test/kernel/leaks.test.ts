/** Nothing stays behind: descriptors, mappings and links after many cycles, failed ones included. */
import { readdirSync, readFileSync } from "node:fs";
import { setImmediate as turn } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { expect, it } from "vitest";
import { createKernelBackend } from "#kernel/backend.ts";
import { compileBpf } from "../support/clang.ts";
import { thrown } from "../support/thrown.ts";
import { describeNative } from "./native.ts";

/** All of them with `npm run test:native`, which has the time. */
const CYCLES = process.env["TAPIO_NATIVE"] === "1" ? 1000 : 100;

const REJECTED = `
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");
SEC("raw_tp/native_test")
int reads_anywhere(struct bpf_raw_tracepoint_args *context)
{
	bpf_ringbuf_output(&ring, context, 8, 0);
	return *(volatile int *)context->args[0];
}
char LICENSE[] SEC("license") = "GPL";
`;

const openDescriptors = (): number => readdirSync("/proc/self/fd").length;

/** Mappings of BPF objects; others come and go with the garbage collector. */
const bpfMappings = (): number =>
  readFileSync("/proc/self/maps", "utf8")
    .split("\n")
    .filter((line) => line.includes("bpf")).length;

async function cycle(object: Uint8Array, hooks: Uint8Array, rejected: Uint8Array, round: number) {
  const backend = createKernelBackend();
  if (round % 4 === 0) {
    thrown(() => backend.open(rejected).load());
  } else if (round % 4 === 1) {
    const opened = backend.open(hooks, { programs: ["on_raw_tracepoint"] });
    opened.load();
    opened.programs.get("on_raw_tracepoint")!.attach();
    // Closed with its object, or with the backend.
    if (round % 8 === 1) opened.close();
  } else {
    const opened = backend.open(object);
    opened.load();
    const ring = opened.maps.get("ring")!.ring();
    opened.maps.get("counters")!.memory();
    const waiting = ring.wait(1000);
    if (round % 4 === 3) opened.programs.get("produce")!.run(new Uint8Array(24).fill(1, 0, 1));
    ring.consume(() => {});
    opened.close();
    await waiting;
  }
  backend.close();
}

describeNative("many cycles of open, load, attach and close", () => {
  it("leave no descriptor and no mapping", async () => {
    const objects = [
      compileBpf("test/kernel/ring.bpf.c"),
      compileBpf("test/kernel/hooks.bpf.c"),
      compileBpf(REJECTED),
    ] as const;
    // The first cycles start what stays: the watching thread, libbpf's probes.
    for (let round = 0; round < 8; round++) await cycle(...objects, round);
    await turn();
    const before = { descriptors: openDescriptors(), mappings: bpfMappings() };
    for (let round = 0; round < CYCLES; round++) {
      await cycle(...objects, round);
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
