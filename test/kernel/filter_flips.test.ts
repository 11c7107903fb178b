/** Rule sets replaced a thousand times a second while every CPU judges by them. */
import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { createCodec } from "#core/btf/codec.ts";
import { findType } from "#core/btf/queries.ts";
import type { FilterRuleInput } from "#core/filters/rule.ts";
import type { HammerData } from "#property-tests/filters/hammer_worker.ts";
import { CASES_MAX, caseOf, Judge } from "#property-tests/filters/judge.ts";
import { capacities } from "#property-tests/filters/pairs.ts";
import { describeNative, withBackend } from "./native.ts";

/** A second in npm test; ten at night. */
const FLIPS = process.env["TAPIO_BUDGET"] === "nightly" ? 10_000 : 1_000;
const FLIP_NS = 1_000_000n;
const ROUNDS = 2048;
const CAPACITY = 64;
/** Judged by no rule but the first, and rejected by it. */
const DENIED_SLOT = 1;
const ALLOWED_SLOT = 2;

const event = {
  pid: 7,
  uid: 1000,
  namespaces: { pid: 1, net: 2, mnt: 3, uts: 4, ipc: 5, cgroup: 6, user: 7 },
  cgroups: [1n, 20n],
  command: "hammer",
  network: {
    family: 4 as const,
    protocol: 6,
    source: { address: 0x0a000001n, port: 1 },
    destination: { address: 0x0a000002n, port: 2 },
  },
};

/** Every type must be matched, so half a rule set would let nothing pass. */
function rulesOf(generation: number): FilterRuleInput[] {
  const base = (generation & 0xffff) << 4;
  const allow = (slot: number) => ({ id: base | slot, action: "allow" as const });
  const filler = Array.from({ length: 20 + (generation % 20) }, (_, i) => ({
    id: 0x10_0000 + i,
    type: "pid" as const,
    pid: 1000 + ((generation * 31 + i * 977) % 50_000),
    action: "deny" as const,
  }));
  return [
    { ...allow(DENIED_SLOT), type: "pid", pid: 8, action: "deny" },
    { ...allow(ALLOWED_SLOT), type: "pid", pid: 7 },
    { ...allow(3), type: "uid", uid: 1000 },
    { ...allow(4), type: "namespace", kind: "net", namespace: 2 },
    { ...allow(5), type: "cgroup", cgroup: 20 },
    { ...allow(6), type: "command", command: "hammer" },
    { ...allow(7), type: "network", cidr: `10.0.0.0/${8 + (generation % 16)}` },
    ...new Map(filler.map((rule) => [rule.pid, rule])).values(),
  ];
}

interface Counts {
  readonly judged: bigint;
  readonly wrong: bigint;
  readonly unjudged: bigint;
  readonly backwards: bigint;
  readonly generations: bigint;
}

function countsOf(judge: Judge): Counts[] {
  const map = judge.object.maps.get("hammer_counts")!;
  const value = new Uint8Array(map.valueBytes);
  map.lookup(new Uint8Array(4), value);
  const codec = createCodec(
    judge.object.btf,
    findType(judge.object.btf, "hammer_counts", "struct")!,
  );
  const stride = Math.ceil(codec.size / 8) * 8;
  return Array.from(
    { length: value.length / stride },
    (_, cpu) => codec.decode(value, cpu * stride) as unknown as Counts,
  );
}

function describeCases(judge: Judge): void {
  const codec = createCodec(judge.object.btf, findType(judge.object.btf, "filter_case", "struct")!);
  const memory = judge.object.maps.get("cases")!.memory();
  for (let i = 0; i < CASES_MAX; i++) {
    const allowed = i % 2 === 0;
    const described = {
      ...caseOf({ ...event, pid: allowed ? 7 : 8 }),
      expected_pass: allowed ? 1 : 0,
      expected_slot: allowed ? ALLOWED_SLOT : DENIED_SLOT,
    };
    codec.encode(described, memory, i * Math.ceil(codec.size / 8) * 8);
  }
}

describeNative("filter generations", () => {
  test("no event is judged by a mix, none is left unjudged", { timeout: 120_000 }, async () => {
    await withBackend(async (backend) => {
      const judge = new Judge(backend, capacities(CAPACITY), 1);
      describeCases(judge);
      await judge.filters.replaceAll(rulesOf(1));
      const stop = new SharedArrayBuffer(4);
      const program = judge.object.programs.get("hammer")!.handle;
      const workers = Array.from({ length: backend.cpus }, (_, cpu) => {
        const workerData: HammerData = { program, cpu, rounds: ROUNDS, stop };
        const file = new URL("../../property-tests/filters/hammer_worker.ts", import.meta.url);
        return new Worker(file, { workerData });
      });
      const next = (worker: Worker) =>
        new Promise<number>((resolve, reject) => {
          worker.once("message", resolve);
          worker.once("error", reject);
        });
      await Promise.all(workers.map(next));
      const ended = workers.map(next);
      const started_ns = process.hrtime.bigint();
      for (let flip = 1; flip <= FLIPS; flip++) {
        await judge.filters.replaceAll(rulesOf(flip + 1));
        // The workers need turns to start in.
        await new Promise((resolve) => setImmediate(resolve));
        while (process.hrtime.bigint() < started_ns + BigInt(flip) * FLIP_NS);
      }
      const elapsed_s = Number(process.hrtime.bigint() - started_ns) / 1e9;
      Atomics.store(new Int32Array(stop), 0, 1);
      const runs = (await Promise.all(ended)).reduce((sum, count) => sum + count, 0);
      const counts = countsOf(judge);
      const sum = (name: keyof Counts) =>
        counts.reduce((total, count) => total + Number(count[name]), 0);
      console.log(
        JSON.stringify({
          flips: FLIPS,
          elapsed_s,
          judged: sum("judged"),
          generations_seen: sum("generations"),
          wrong: sum("wrong"),
          unjudged: sum("unjudged"),
          backwards: sum("backwards"),
        }),
      );
      judge.close();
      expect(sum("judged")).toBe(runs * ROUNDS);
      expect(sum("wrong")).toBe(0);
      expect(sum("unjudged")).toBe(0);
      expect(sum("backwards")).toBe(0);
      // The traffic met the flips.
      expect(sum("generations")).toBeGreaterThan(backend.cpus);
    });
  });
});
