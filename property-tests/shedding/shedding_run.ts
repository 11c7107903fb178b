/**
 * A source that does not wait, a sampling decision, the batch processor and one slow sink, in virtual time: what a run
 * on a kernel does with load, without the kernel.
 */
import type { RecordBatch } from "#core/backend.ts";
import { BatchProcessor } from "#core/batching/batch_processor.ts";
import type { BatchSink, SendResult } from "#core/batching/batch_sink.ts";
import { DEFAULT_BATCHING } from "#core/batching/batching_config.ts";
import type { EventSchema } from "#core/events/event_schema.ts";
import { type SamplingRules, STRATA, thresholdOf } from "#core/sampling/decision.ts";
import { SamplingManager } from "#core/sampling/sampling_manager.ts";
import { rateFromThreshold } from "#core/sampling/threshold.ts";
import { LoadShedder } from "#core/shedding/load_shedder.ts";

export const STEP_MS = 5;
const INTERVAL_MS = 100;
const RECORD_BYTES = 32;
const TYPE = 1;

/** What the sink takes for a batch, in milliseconds. */
export interface Service {
  readonly fixed_ms: number;
  readonly perEvent_ms: number;
}

export interface Scenario {
  readonly load_per_s: (now_ms: number) => number;
  readonly service: (now_ms: number) => Service;
  readonly errorShare: number;
  readonly duration_ms: number;
  readonly buffer_bytes: number;
  readonly min_multiplier: number;
  readonly random: () => number;
}

/** The multiplier of the interval that ends at `at_ms`, and what was dropped until then. */
export interface Look {
  readonly at_ms: number;
  readonly multiplier: number;
  readonly dropped: number;
}

export interface Outcome {
  readonly looks: readonly Look[];
  readonly offered: number;
  readonly errorsOffered: number;
  readonly errorsDelivered: number;
  readonly dropped: number;
  /** Horvitz-Thompson total of what was delivered, and the square root of its estimated variance. */
  readonly estimate: number;
  readonly deviation: number;
}

/** Records: π, whether it is an error, time. */
const SCHEMA = {
  collector: { name: "test" },
  headerSize: 16,
  header: {
    timestamp_ns: (view: DataView, at: number) => view.getFloat64(at + 16, true),
    program: () => 0,
    cpu: () => 0,
  },
} as unknown as EventSchema;

class Clock {
  now_ms = 0;
  #waiting: { readonly at_ms: number; readonly resolve: () => void }[] = [];

  sleep(time_ms: number): Promise<void> {
    return new Promise((resolve) => this.#waiting.push({ at_ms: this.now_ms + time_ms, resolve }));
  }

  async step(): Promise<void> {
    this.now_ms += STEP_MS;
    const due = this.#waiting.filter(({ at_ms }) => at_ms <= this.now_ms);
    this.#waiting = this.#waiting.filter(({ at_ms }) => at_ms > this.now_ms);
    for (const { resolve } of due) resolve();
    // What follows from them, down to the next batch.
    if (due.length > 0) await new Promise((resolve) => setImmediate(resolve));
  }
}

class SlowSink implements BatchSink {
  readonly name = "slow";
  readonly encoding = "columnar";
  readonly maxInFlight = 1;
  estimate = 0;
  variance = 0;
  errors = 0;
  readonly #serve: (count: number) => Promise<void>;

  constructor(serve: (count: number) => Promise<void>) {
    this.#serve = serve;
  }

  async send({ bytes, count }: { bytes: Uint8Array; count: number }): Promise<SendResult> {
    await this.#serve(count);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let at = 0; at < bytes.length; at += RECORD_BYTES) {
      const rate = view.getFloat64(at, true);
      this.estimate += 1 / rate;
      this.variance += (1 - rate) / rate ** 2;
      this.errors += view.getFloat64(at + 8, true);
    }
    return { outcome: "accepted" };
  }

  async close(): Promise<void> {}
}

class Target {
  readonly types = new Map([["event", TYPE]]);
  rules: SamplingRules | undefined;
  publish(rules: SamplingRules): number {
    this.rules = rules;
    return 0;
  }
  totals() {
    return Array.from({ length: STRATA }, () => ({ seen: 0, kept: 0 }));
  }
}

function gather(kept: readonly { rate: number; error: boolean }[], now_ms: number): RecordBatch {
  const buffer = new Uint8Array(RECORD_BYTES * kept.length);
  const view = new DataView(buffer.buffer);
  const offsets = Uint32Array.from({ length: kept.length }, (_, i) => i * RECORD_BYTES);
  kept.forEach(({ rate, error }, i) => {
    view.setFloat64(offsets[i]!, rate, true);
    view.setFloat64(offsets[i]! + 8, error ? 1 : 0, true);
    view.setFloat64(offsets[i]! + 16, now_ms * 1e6, true);
  });
  const lengths = new Uint32Array(kept.length).fill(RECORD_BYTES);
  return { buffer, view, offsets, lengths, count: kept.length };
}

const encoder = {
  encoding: "columnar" as const,
  encode: ({ buffer, count }: RecordBatch) => ({
    bytes: buffer.slice(0, count * RECORD_BYTES),
    count,
    rawBytes: count * RECORD_BYTES,
    malformed: 0,
  }),
};

/** Runs the scenario; then the load ends and the sink drains what is left. */
export async function runScenario(scenario: Scenario): Promise<Outcome> {
  const { load_per_s, service, errorShare, random, duration_ms } = scenario;
  const clock = new Clock();
  const sink = new SlowSink((count) => {
    const { fixed_ms, perEvent_ms } = service(clock.now_ms);
    return clock.sleep(fixed_ms + perEvent_ms * count);
  });
  const { buffer_bytes } = scenario;
  // The end waits for the sink however slow it is: only pressure loses events.
  const config = { ...DEFAULT_BATCHING, buffer_bytes, shutdown_timeout_ms: 1e9 };
  const processor = new BatchProcessor({
    config,
    sinks: [sink],
    now_ns: () => clock.now_ms * 1e6,
    now_ms: () => clock.now_ms,
    random,
    sleep: (time_ms) => clock.sleep(time_ms),
    encoder: () => encoder,
    schemaHeader: () => new Uint8Array(),
  });
  const target = new Target();
  const manager = new SamplingManager([target], () => 0n);
  const shedder = new LoadShedder({
    min_multiplier: scenario.min_multiplier,
    target_ms: config.target_latency_ms,
  });
  const looks: Look[] = [];
  let [offered, errorsOffered, owed] = [0, 0, 0];
  while (clock.now_ms < duration_ms) {
    owed += (load_per_s(clock.now_ms) * STEP_MS) / 1000;
    const kept: { rate: number; error: boolean }[] = [];
    for (; owed >= 1; owed--) {
      const error = random() < errorShare;
      offered += 1;
      if (error) errorsOffered += 1;
      const facts = { type: TYPE, priority: 0, latency_ns: undefined, error };
      const { rules } = target;
      const rate = rules === undefined ? 1 : rateFromThreshold(thresholdOf(rules, facts));
      if (random() < rate) kept.push({ rate, error });
    }
    if (kept.length > 0) processor.write(gather(kept, clock.now_ms), SCHEMA);
    processor.tick();
    if (clock.now_ms % INTERVAL_MS === 0) {
      // What is dropped until now was dropped under the multiplier before.
      const { eventsDropped: dropped } = processor.getStats();
      looks.push({ at_ms: clock.now_ms, multiplier: manager.shedMultiplier, dropped });
      manager.shed(shedder.update(processor.pressure(), INTERVAL_MS));
    }
    await clock.step();
  }
  let ended = false;
  const flushed = processor.flush().finally(() => {
    ended = true;
  });
  while (!ended) await clock.step();
  await flushed;
  await processor.close();
  return {
    looks,
    offered,
    errorsOffered,
    errorsDelivered: sink.errors,
    dropped: processor.getStats().eventsDropped,
    estimate: sink.estimate,
    deviation: Math.sqrt(sink.variance),
  };
}
