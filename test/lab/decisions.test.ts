/** The model and the bytecode keep exactly the same events, with the same probabilities and the same R. */
import { describe, expect, it } from "vitest";
import { readArtifact } from "#cli/artifacts.ts";
import { createCodec } from "#core/btf/codec.ts";
import { findType } from "#core/btf/queries.ts";
import { Xoshiro128 } from "#core/random/xoshiro128.ts";
import { compileRules, constantRates } from "#core/sampling/compile_rules.ts";
import type { SamplingConfig } from "#core/sampling/sampling_config.ts";
import { SamplingTable } from "#core/sampling/sampling_table.ts";
import { replicationOf } from "#lab/decide_replication.ts";
import { BytecodeDecider } from "#lab/decisions/bytecode.ts";
import type { Decider } from "#lab/decisions/decider.ts";
import { KeptEvents } from "#lab/decisions/kept_events.ts";
import { ModelDecider } from "#lab/decisions/model.ts";
import { experimentSchema } from "#lab/experiment.ts";
import { runExperiment } from "#lab/run_experiment.ts";
import { type Strategy, samplingConfigOf, strategySchema } from "#lab/strategy.ts";
import type { Events } from "#lab/workload/events.ts";
import { generateEvents } from "#lab/workload/generate_events.ts";
import { workloadSchema } from "#lab/workload/schema.ts";
import { encodeContext } from "#property-tests/arbitraries/collector_runs.ts";
import { runnableOnRequest } from "#property-tests/conformance/differential_collectors.ts";
import { createWasmBackend } from "#wasm/backend.ts";

const BYTECODE = {
  runtime: readArtifact("wasm/runtime.wasm"),
  kernelTypes: readArtifact("wasm/kernel_types.bpf.o"),
  object: readArtifact("lab/decide_batch.bpf.o"),
};

const WORKLOAD = {
  name: "all",
  kind: "lognormal",
  sigma: 2,
  load: {
    phases: [
      { seconds: 1, events_per_s: 500 },
      { seconds: 1, events_per_s: 4000 },
    ],
  },
  types: { count: 4, factor: 2 },
  connections: { mean_events: 5, tail: 1.5 },
  error_share: 0.05,
  high_priority_share: 0.1,
} as const;

const STRATEGIES = [
  { name: "uniform", kind: "uniform", rate: 0.3 },
  { name: "little", kind: "uniform", rate: 0.02 },
  { name: "almost all", kind: "uniform", rate: 1 - 2 ** -40 },
  { name: "per type", kind: "per_type", rate: 0.1, rates: { "type 3": 0.9, "type 4": 1 } },
  { name: "tail", kind: "tail", rate: 0.05, slow_rate: 0.5, slow_share: 0.1, error_rate: 0.8 },
  { name: "boost", kind: "priority_boost", rate: 0.2, boost: 3 },
  { name: "adaptive", kind: "adaptive", target_events_per_s: 400, interval_ms: 100 },
  { name: "consistent", kind: "consistent", rate: 0.3 },
  { name: "stratified", kind: "stratified", rate: 0.1, rates: { "type 3": 0.7 } },
  { name: "reservoir", kind: "reservoir", k: 100 },
  { name: "bottom-k", kind: "bottom_k", k: 100 },
  { name: "priority", kind: "priority_sampling", k: 100 },
  { name: "varopt", kind: "varopt", k: 100 },
];

const events = (): Events => {
  const workload = workloadSchema.parse(WORKLOAD);
  if (workload.kind === "recording") throw new Error("it is generated");
  return generateEvents(workload, new Xoshiro128(3));
};

function keptBy(decider: Decider, strategy: Strategy, all: Events, seeds: readonly bigint[]) {
  const decide = replicationOf(decider, samplingConfigOf(strategy, all), all);
  const kept = new KeptEvents(all.count);
  return seeds.map((seed) => {
    decide(seed, kept);
    const columns = [kept.numbers, kept.pis, kept.highs, kept.lows];
    return columns.map((column) => [...column.subarray(0, kept.count)]);
  });
}

describe("the model and the bytecode", () => {
  const all = events();
  const seeds = [1n, (5n << 32n) | 7n, 2n ** 64n - 1n];

  it("have strategies of every kind to be compared by", () => {
    const kinds = new Set(strategySchema.options.map((option) => option.shape.kind.value));
    expect(new Set(STRATEGIES.map(({ kind }) => kind))).toEqual(kinds);
  });

  it.each(STRATEGIES)("keep the same events: $name", async (given) => {
    const strategy = strategySchema.parse(given);
    const [model, bytecode] = [new ModelDecider(all), await BytecodeDecider.create(BYTECODE, all)];
    try {
      const expected = keptBy(model, strategy, all, seeds);
      const [first, second] = expected;
      expect(first![0]!.length).toBeGreaterThan(50);
      expect(keptBy(bytecode, strategy, all, seeds)).toEqual(expected);
      expect(bytecode.totals()).toEqual(model.totals());
      // Another seed is another sample, by hash as by draw.
      if (expected[0]![0]!.length < all.count) expect(second).not.toEqual(first);
    } finally {
      bytecode.close();
    }
  });

  it("make the same experiment of it", async () => {
    const settings = {
      name: "same",
      replications: 10,
      workloads: [WORKLOAD],
      strategies: STRATEGIES,
      quantities: ["total", "mean", "by_type", "p95"],
    };
    const options = {
      seed: 9,
      shard: { index: 0, count: 1 },
      recordings: new Map(),
      bytecode: BYTECODE,
    };
    const run = async (decisions: string) => {
      const experiment = experimentSchema.parse({ ...settings, decisions });
      return (await runExperiment(experiment, options)).cells;
    };
    expect(await run("bytecode")).toEqual(await run("model"));
  });
});

/** Retransmits are of type 3 and high priority; event i is about socket i. */
async function keptByTcpCollector(config: SamplingConfig, count: number, seed: number) {
  const backend = await createWasmBackend({ ...BYTECODE, cpus: 1 });
  const sections = ["tp/sock/inet_sock_set_state", "tp/tcp/tcp_retransmit_skb"];
  const bytes = runnableOnRequest(readArtifact("bpf/tcp_monitor.bpf.o"), sections);
  const object = backend.open(bytes, { programs: ["tcp_retransmit"] });
  object.load();
  const { maps, btf } = object;
  const table = new SamplingTable(object);
  const rates = constantRates(config, new Map([["type 3", 3]]));
  table.publish(compileRules(config, rates));
  backend.instance.exports.rt_seed(seed, 0);
  const program = object.programs.get("tcp_retransmit")!;
  const ring = maps.get("events")!.ring();
  const codec = createCodec(btf, findType(btf, "tcp_event", "struct")!);
  const kept: { number: number; randomness: bigint }[] = [];
  for (let number = 0; number < count; number++) {
    const fields = { skaddr: BigInt(number), state: 1, family: 2 };
    const contexts = ["trace_event_raw_tcp_retransmit_skb", "trace_event_raw_tcp_event_sk_skb"];
    program.run(encodeContext(backend.kernelBtf, { program: program.name, contexts, fields }));
    ring.consume(({ buffer, offsets, count: records }) => {
      for (let i = 0; i < records; i++) {
        const event = codec.decode(buffer, offsets[i]!) as unknown as TcpEvent;
        kept.push({ number: Number(event.socket), randomness: event.header.randomness });
      }
    });
  }
  backend.close();
  return kept;
}

interface TcpEvent {
  readonly socket: bigint;
  readonly header: { readonly randomness: bigint };
}

describe("the model and a shipped collector", () => {
  it.each(["uniform", "per_type", "priority_boost"])("keep the same events: %s", async (kind) => {
    const strategy = strategySchema.parse(STRATEGIES.find((each) => each.kind === kind));
    const all = { ...events(), priorities: new Uint8Array(9999).fill(5) };
    const retransmits = {
      ...all,
      count: 500,
      types: new Uint8Array(all.count).fill(3),
      errors: new Uint8Array(all.count),
    };
    const config = samplingConfigOf(strategy, retransmits);
    const kept = new KeptEvents(500);
    replicationOf(new ModelDecider(retransmits), config, retransmits)(11n, kept);
    const expected = Array.from({ length: kept.count }, (_, at) => ({
      number: kept.numbers[at]!,
      randomness: (BigInt(kept.highs[at]!) << 24n) | BigInt(kept.lows[at]!),
    }));
    expect(expected.length).toBeGreaterThan(20);
    expect(await keptByTcpCollector(config, 500, 11)).toEqual(expected);
  });
});
