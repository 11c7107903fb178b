/** The kernel's decision is the one of `decision.ts`, and its counts are exact, for any rules and events. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { readArtifact } from "#cli/artifacts.ts";
import { createCodec } from "#core/btf/codec.ts";
import { findType } from "#core/btf/queries.ts";
import { COLLECTORS } from "#core/events/collectors.ts";
import { createEventSchema } from "#core/events/event_schema.ts";
import { type SamplingRules, STRATA, stratumOf } from "#core/sampling/decision.ts";
import type { StratumCount } from "#core/sampling/sampling_counts.ts";
import { SamplingTable } from "#core/sampling/sampling_table.ts";
import { epochOfWord, isKept, THRESHOLD_LIMIT, thresholdOfWord } from "#core/sampling/threshold.ts";
import { createWasmBackend } from "#wasm/backend.ts";
import { loadRuntimeModule } from "#wasm/load_runtime.ts";
import { type CollectorRun, collectorRuns, encodeContext } from "../arbitraries/collector_runs.ts";
import { runnableOnRequest } from "../conformance/differential_collectors.ts";
import { checkAsyncProperty } from "../property.ts";

const threshold = fc.oneof(
  fc.constantFrom(0n, 1n, THRESHOLD_LIMIT - 1n, THRESHOLD_LIMIT / 2n),
  // Small rates, at which gaps are drawn, and some events are kept all the same.
  fc.bigInt({ min: THRESHOLD_LIMIT - (THRESHOLD_LIMIT >> 4n), max: THRESHOLD_LIMIT - 1n }),
  fc.bigInt({ min: 0n, max: THRESHOLD_LIMIT - 1n }),
);

const rules: fc.Arbitrary<SamplingRules> = fc.record({
  // The simulated clock stands still, so that every known duration is 0.
  slow_ns: fc.constantFrom(0, 1, 1e9, 2 ** 40),
  priorityFrom: fc.integer({ min: 0, max: 10 }),
  consistent: fc.boolean(),
  thresholds: fc.array(threshold, { minLength: STRATA, maxLength: STRATA }),
});

type Step =
  | { readonly kind: "run"; readonly run: CollectorRun }
  | { readonly kind: "publish"; readonly rules: SamplingRules };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: collectorRuns("tcp").map((run) => ({ kind: "run" as const, run })),
  },
  { weight: 1, arbitrary: rules.map((each) => ({ kind: "publish" as const, rules: each })) },
);

interface Header {
  readonly type: number;
  readonly priority: number;
  readonly stratum: number;
  readonly sampling: bigint;
  readonly randomness: bigint;
}

const TCP = COLLECTORS.get("tcp")!;
const SECTIONS = ["tp/sock/inet_sock_set_state", "tp/tcp/tcp_retransmit_skb"];

async function openTcp(seed: number) {
  const backend = await createWasmBackend({
    runtime: await loadRuntimeModule(),
    kernelTypes: readArtifact("wasm/kernel_types.bpf.o"),
    cpus: 1,
    seed,
  });
  const object = backend.open(runnableOnRequest(readArtifact(`bpf/${TCP.object}`), SECTIONS), {
    programs: TCP.programs.map(({ name }) => name),
  });
  object.load();
  return { backend, object, table: new SamplingTable(object) };
}

it("kept events carry T, R, epoch and stratum of the rules in force; counts add up", async () => {
  const property = fc.asyncProperty(
    fc.nat(),
    rules,
    fc.array(step, { maxLength: 60, size: "max" }),
    async (seed, first, steps) => {
      const { backend, object, table } = await openTcp(seed);
      try {
        const schema = createEventSchema(object.btf, TCP);
        const codec = createCodec(object.btf, findType(object.btf, "event_header", "struct")!);
        const ring = object.maps.get("events")!.ring();
        const zeros = () => Array.from({ length: STRATA }, () => 0);
        const expected = zeros();
        const byGeneration = new Map<bigint, number[]>();
        let [inForce, epoch, kept] = [first, table.publish(first), 0];
        for (const next of steps) {
          if (next.kind === "publish") {
            [inForce, epoch] = [next.rules, table.publish(next.rules)];
            continue;
          }
          object.programs.get(next.run.program)!.run(encodeContext(backend.kernelBtf, next.run));
          ring.consume((batch) => {
            for (let i = 0; i < batch.count; i++) {
              const at = batch.offsets[i]!;
              expect(schema.types.has(schema.header.type(batch.view, at))).toBe(true);
              const header = codec.decode(batch.buffer, at) as unknown as Header;
              expectDecision(inForce, epoch, header);
              expected[header.stratum]! += 1;
              const own = byGeneration.get(table.generation) ?? zeros();
              own[header.stratum]! += 1;
              byGeneration.set(table.generation, own);
              kept++;
            }
          });
        }
        const totals = table.totals();
        expect(totals.map((count) => count.kept)).toEqual(expected);
        expect(totals.reduce((sum, count) => sum + count.kept, 0)).toBe(kept);
        for (const { seen, kept: some } of totals) expect(seen).toBeGreaterThanOrEqual(some);
        expectEpochs(table, byGeneration, totals);
        ring.close();
      } finally {
        backend.close();
      }
    },
  );
  await checkAsyncProperty("kernel sampling decision", property);
});

/** Counts of the last epochs are those of their records, and add up where there were no others. */
function expectEpochs(
  table: SamplingTable,
  kept: ReadonlyMap<bigint, readonly number[]>,
  totals: readonly StratumCount[],
): void {
  const { generation } = table;
  const seen = totals.map(() => 0);
  for (let age = 0n; age < 4n && age <= generation; age++) {
    const counts = table.countsOf(generation - age)!;
    const own = kept.get(generation - age) ?? totals.map(() => 0);
    expect(counts.map((count) => count.kept)).toEqual(own);
    counts.forEach((count, stratum) => {
      expect(count.seen).toBeGreaterThanOrEqual(count.kept);
      seen[stratum]! += count.seen;
    });
  }
  expect(table.countsOf(generation - 4n)).toBeUndefined();
  expect(table.countsOf(generation + 1n)).toBeUndefined();
  if (generation < 4n) expect(seen).toEqual(totals.map((count) => count.seen));
}

/** Failed connection attempts are errors of high priority, retransmits of high priority. */
function expectDecision(inForce: SamplingRules, epoch: number, header: Header): void {
  const { type, priority, sampling, randomness, stratum } = header;
  const failed = type === 2;
  // Every duration that is known is 0, and so below what is slow.
  const facts = { type, priority, latency_ns: 0, error: failed };
  expect(stratum).toBe(stratumOf(inForce, facts));
  expect(epochOfWord(sampling)).toBe(epoch);
  expect(thresholdOfWord(sampling)).toBe(inForce.thresholds[stratum]);
  expect(isKept(randomness, thresholdOfWord(sampling))).toBe(true);
}
