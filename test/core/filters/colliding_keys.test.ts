/** Keys that were chosen to meet in the same buckets, by somebody who knows the seed. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { KIND } from "#core/filters/compile_rule.ts";
import { filterLayout } from "#core/filters/filter_layout.ts";
import { firstBucket, kindSeed, mix, mixEnd, secondBucket } from "#core/filters/hash.ts";
import { FILTER_TYPES } from "#core/filters/rule.ts";
import { Judge } from "#property-tests/filters/judge.ts";
import { capacities } from "#property-tests/filters/pairs.ts";
import { createWasmBackend, type WasmBackend } from "#wasm/backend.ts";
import { loadRuntimeModule } from "#wasm/load_runtime.ts";

const CAPACITY = 64;
const SEEDS = 12;
let backend: WasmBackend;

beforeAll(async () => {
  backend = await createWasmBackend({
    runtime: await loadRuntimeModule(),
    kernelTypes: readFileSync("build/wasm/kernel_types.bpf.o"),
  });
});
afterAll(() => backend.close());

/** Seed of the generation with this parity, as the programs read it. */
function seedOf(judge: Judge, half: 0 | 1): number {
  const { state } = filterLayout(judge.object.btf);
  const memory = judge.object.maps.get(".data.filters")!.memory();
  const words = new Uint32Array(memory.buffer, memory.byteOffset, state.words);
  return words[state.generations[half] + state.at("seed")]!;
}

/** The first `count` process numbers whose two buckets are those of the first one found. */
function collidingPids(seed: number, buckets: number, count: number): number[] {
  const pids: number[] = [];
  let wanted = "";
  for (let pid = 1000; pids.length < count; pid++) {
    const hash = mixEnd(mix(kindSeed(seed, KIND.PID), pid));
    const pair = [firstBucket(hash, buckets), secondBucket(hash, buckets)].sort().join();
    if (pids.length === 0) wanted = pair;
    if (pair === wanted) pids.push(pid);
  }
  return pids;
}

const eventOf = (pid: number) => ({
  pid,
  uid: 1000,
  namespaces: { pid: 1, net: 2, mnt: 3, uts: 4, ipc: 5, cgroup: 6, user: 7 },
  cgroups: [1n],
  command: "nginx",
  network: undefined,
});

test.each([0, 1] as const)(
  "more of them than two buckets hold: half %i takes another seed",
  async (half) => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const judge = new Judge(backend, capacities(CAPACITY), seed);
      try {
        await judge.filters.configure([], "allow", [...FILTER_TYPES]);
        await judge.filters.addPidFilter(1, false);
        await judge.filters.addPidFilter(2, false);
        const { count } = judge.geometry.regions.pid;
        const { slots } = filterLayout(judge.object.btf).tables.scalars;
        const known = seedOf(judge, half);
        const pids = collidingPids(known, count, 4 * slots);
        const strangers = Array.from({ length: 200 }, (_, i) => 500_000 + i);
        for (const [i, pid] of pids.entries()) {
          await judge.filters.addPidFilter(pid, false);
          const verdicts = judge.judge([...pids, ...strangers].map(eventOf));
          const passed = verdicts.map(({ pass }) => pass);
          expect(passed.slice(0, pids.length)).toEqual(pids.map((_, at) => at > i));
          expect(passed.slice(pids.length)).not.toContain(false);
        }
        expect(seedOf(judge, half)).not.toBe(known);
      } finally {
        judge.close();
      }
    }
  },
);
