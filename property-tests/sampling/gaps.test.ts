/**
 * The kernel's decisions as a stream: how many events lie between kept ones, and what their R is, against the
 * distributions that one coin for each event has. Every check may fail by chance once in ten million runs of it.
 */
import { expect, it } from "vitest";
import { readArtifact } from "#cli/artifacts.ts";
import type { BpfObject } from "#core/backend.ts";
import { fieldReaderPair } from "#core/btf/fields.ts";
import { findField } from "#core/btf/find_field.ts";
import { requiredMap, requiredStruct } from "#core/object_parts.ts";
import { compileRules } from "#core/sampling/compile_rules.ts";
import { DEFAULT_SAMPLING } from "#core/sampling/sampling_config.ts";
import { SamplingTable } from "#core/sampling/sampling_table.ts";
import { rateFromHalves } from "#core/sampling/threshold.ts";
import { chiSquareSurvival } from "#core/stats/distributions/chi_square.ts";
import { createWasmBackend, type WasmBackend } from "#wasm/backend.ts";
import { loadRuntimeModule } from "#wasm/load_runtime.ts";
import { runnableOnRequest } from "../conformance/differential_collectors.ts";

const SEED = Number(process.env["TAPIO_SEED"] ?? 1);
const CHANCE = 1e-7;
const Z_MAX = 5.4;
const SECTIONS = ["tp/raw_syscalls/sys_enter", "tp/raw_syscalls/sys_exit"];
const BINS = 16;

const uniform = (rate: number) =>
  compileRules({ ...DEFAULT_SAMPLING, strategy: "uniform" }, () => rate);

class Stream {
  readonly table: SamplingTable;
  readonly object: BpfObject;
  readonly #backend: WasmBackend;
  readonly #context = new Uint8Array(64);
  readonly #ring;
  readonly #randomness;

  constructor(backend: WasmBackend) {
    this.#backend = backend;
    const bytes = readArtifact("bpf/syscall_monitor.bpf.o");
    this.object = backend.open(runnableOnRequest(bytes, SECTIONS), { programs: ["syscall_exit"] });
    this.object.load();
    this.table = new SamplingTable(this.object);
    this.#ring = requiredMap(this.object, "events").ring();
    this.#randomness = fieldReaderPair(requiredStruct(this.object, "event_header"), "randomness");
  }

  static async open(): Promise<Stream> {
    const runtime = await loadRuntimeModule();
    const kernelTypes = readArtifact("wasm/kernel_types.bpf.o");
    return new Stream(await createWasmBackend({ runtime, kernelTypes, cpus: 1, seed: SEED }));
  }

  /** 1 - R / 2^56 of the next event if it is kept, else 0. */
  next(): number {
    let kept = 0;
    this.object.programs.get("syscall_exit")!.run(this.#context);
    if (this.#ring.availableBytes() === 0) return 0;
    const { low, high } = this.#randomness;
    this.#ring.consume(({ view, offsets }) => {
      kept = rateFromHalves(low(view, offsets[0]!), high(view, offsets[0]!));
    });
    return kept;
  }

  close(): void {
    this.#backend.close();
  }
}

/** Gaps before kept events, and their R as a part of those that are kept, from 0 to 1. */
function observe(stream: Stream, rate: number, count: number) {
  const gaps: number[] = [];
  const parts: number[] = [];
  for (let gap = 0; gaps.length < count; gap++) {
    const kept = stream.next();
    if (kept === 0) continue;
    gaps.push(gap);
    parts.push(kept / rate);
    gap = -1;
  }
  return { gaps, parts };
}

/** Chance of counts as uneven as these in bins that have these probabilities. */
function chanceOf(counts: readonly number[], probabilities: readonly number[]): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const terms = counts.map((count, bin) => {
    const expected = total * probabilities[bin]!;
    return (count - expected) ** 2 / expected;
  });
  return chiSquareSurvival(
    terms.reduce((sum, term) => sum + term, 0),
    counts.length - 1,
  );
}

function chanceOfGaps(gaps: readonly number[], rate: number): number {
  const below = (gap: number) => -Math.expm1(gap * Math.log1p(-rate));
  const edges = new Set<number>([0]);
  for (let bin = 1; bin < BINS; bin++) {
    edges.add(Math.ceil(Math.log1p(-bin / BINS) / Math.log1p(-rate)));
  }
  const from = [...edges];
  const counts = from.map(() => 0);
  for (const gap of gaps) counts[from.findLastIndex((edge) => edge <= gap)]! += 1;
  const probabilities = from.map((edge, i) => below(from[i + 1] ?? Infinity) - below(edge));
  return chanceOf(counts, probabilities);
}

function chanceOfParts(parts: readonly number[]): number {
  const counts = Array.from({ length: BINS }, () => 0);
  for (const part of parts) counts[Math.min(Math.floor(part * BINS), BINS - 1)]! += 1;
  return chanceOf(
    counts,
    counts.map(() => 1 / BINS),
  );
}

// Coins; candidates that are all kept; those of which some are.
it.each([
  [0.3, 4000],
  [2 ** -4, 4000],
  [0.05, 4000],
  [0.004, 1500],
])(
  "gaps between kept events are geometric and R is uniform, at a rate of %d",
  async (rate, count) => {
    const stream = await Stream.open();
    stream.table.publish(uniform(rate));
    const { gaps, parts } = observe(stream, rate, count);
    stream.close();
    expect(Math.max(...parts)).toBeLessThanOrEqual(1);
    expect(chanceOfGaps(gaps, rate)).toBeGreaterThan(CHANCE);
    expect(chanceOfParts(parts)).toBeGreaterThan(CHANCE);
  },
);

it("digits that are another rate's are found out", async () => {
  const stream = await Stream.open();
  stream.table.publish(uniform(0.05));
  const table = requiredStruct(stream.object, "sampling_table");
  const row = (bits: number) => findField(table, `gap_digits[${bits}]`);
  const memory = requiredMap(stream.object, ".data.sampling").memory();
  memory.copyWithin(row(4).offset, row(5).offset, row(5).offset + row(5).size);
  const { gaps, parts } = observe(stream, 0.05, 2000);
  stream.close();
  expect(chanceOfGaps(gaps, 0.05)).toBeLessThan(CHANCE);
  expect(chanceOfParts(parts)).toBeGreaterThan(CHANCE);
});

it("an epoch that ends within a gap biases neither itself nor the next one", async () => {
  const stream = await Stream.open();
  const rates = [0.05, 0.004, 0.5, 0.01];
  const seen = rates.map(() => 0);
  const kept = rates.map(() => 0);
  // Shorter than most gaps, and of many lengths.
  for (let turn = 0; turn < 4000; turn++) {
    const which = turn % rates.length;
    stream.table.publish(uniform(rates[which]!));
    for (let event = 0; event < 5 + (turn % 37); event++) {
      seen[which]! += 1;
      if (stream.next() > 0) kept[which]! += 1;
    }
  }
  stream.close();
  rates.forEach((rate, which) => {
    const expected = seen[which]! * rate;
    const z = (kept[which]! - expected) / Math.sqrt(expected * (1 - rate));
    expect(Math.abs(z), `${kept[which]} of ${seen[which]} at ${rate}`).toBeLessThan(Z_MAX);
  });
});
