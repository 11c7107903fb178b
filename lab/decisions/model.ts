/** The decision of `bpf/include/bpf_sampling.h` in TypeScript, at a few nanoseconds an event. */

import type { EventTypeNumbers } from "#core/sampling/compile_rules.ts";
import { KEEP_EVERYTHING, type SamplingRules, STRATA, stratumOf } from "#core/sampling/decision.ts";
import { Draw, type DrawThreshold, drawThreshold } from "#core/sampling/draw.ts";
import type { StratumCount } from "#core/sampling/sampling_counts.ts";
import { programRandom } from "#wasm/program_random.ts";
import type { Events } from "../workload/events.ts";
import { ConnectionHash } from "./connection_hash.ts";
import type { Decider } from "./decider.ts";
import type { KeptEvents } from "./kept_events.ts";
import { typeNumbers } from "./type_numbers.ts";

export class ModelDecider implements Decider {
  readonly types: EventTypeNumbers;
  readonly #events: Events;
  readonly #strata: Uint8Array;
  readonly #seen = new Float64Array(STRATA);
  readonly #kept = new Float64Array(STRATA);
  #rules: SamplingRules = KEEP_EVERYTHING;
  #thresholds: readonly DrawThreshold[] = [];
  #epoch = 0;
  #draw = new Draw(programRandom(0n));
  #hash = new ConnectionHash(0n);

  constructor(events: Events) {
    this.#events = events;
    this.types = typeNumbers(events);
    this.#strata = new Uint8Array(events.count);
    this.#classify(KEEP_EVERYTHING);
    this.publish(KEEP_EVERYTHING);
  }

  publish(rules: SamplingRules): number {
    const before = this.#rules;
    this.#rules = rules;
    if (rules.slow_ns !== before.slow_ns || rules.priorityFrom !== before.priorityFrom) {
      this.#classify(rules);
    }
    this.#thresholds = rules.thresholds.map(drawThreshold);
    this.#draw.restart();
    this.#epoch = (this.#epoch + 1) & 0xff;
    return this.#epoch;
  }

  #classify(rules: SamplingRules): void {
    const { count, types, priorities, latencies_ns, errors } = this.#events;
    for (let i = 0; i < count; i++) {
      const latency_ns = latencies_ns[i] === 0 ? undefined : latencies_ns[i];
      const facts = { type: types[i]!, priority: priorities[i]!, error: errors[i] === 1 };
      this.#strata[i] = stratumOf(rules, { ...facts, latency_ns });
    }
  }

  totals(): StratumCount[] {
    return Array.from(this.#seen, (seen, stratum) => ({ seen, kept: this.#kept[stratum]! }));
  }

  begin(seed: bigint): void {
    this.#draw = new Draw(programRandom(seed));
    this.#hash = new ConnectionHash(seed);
  }

  decide(first: number, end: number, kept: KeptEvents): void {
    if (this.#rules.consistent) this.#decideByConnection(first, end, kept);
    else this.#decideEach(first, end, kept);
  }

  #decideEach(first: number, end: number, kept: KeptEvents): void {
    const draw = this.#draw;
    for (let number = first; number < end; number++) {
      const stratum = this.#strata[number]!;
      const threshold = this.#thresholds[stratum]!;
      const seen = this.#seen[stratum]! + 1;
      this.#seen[stratum] = seen;
      if (!draw.decides(stratum, seen, threshold)) continue;
      this.#kept[stratum]! += 1;
      kept.add(number, threshold.pi, draw.high, draw.low);
    }
  }

  #decideByConnection(first: number, end: number, kept: KeptEvents): void {
    const { connections } = this.#events;
    const hash = this.#hash;
    for (let number = first; number < end; number++) {
      const stratum = this.#strata[number]!;
      const { pi, high, low } = this.#thresholds[stratum]!;
      this.#seen[stratum]! += 1;
      hash.of(connections[number]!);
      if (hash.high < high || (hash.high === high && hash.low < low)) continue;
      this.#kept[stratum]! += 1;
      kept.add(number, pi, hash.high, hash.low);
    }
  }

  close(): void {}
}
