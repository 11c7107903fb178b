/** Load shedding of a run: samples more while rings, sinks or the log cannot keep up. */
import type { Config } from "#core/config/config.ts";
import { LoadShedder, type Pressure } from "#core/shedding/load_shedder.ts";
import type { Observe } from "#core/telemetry/instrument.ts";
import { SAMPLING } from "#core/telemetry/instruments/sampling.ts";
import type { Running } from "../running.ts";
import { deliveryOf } from "./batching.ts";
import type { RunPart, RunPartKind } from "./part.ts";
import { samplingOf } from "./sampling.ts";

/** Between two changes of the multiplier. */
const INTERVAL_MS = 100;
/** Sinks that take every event at once. */
const NO_DELIVERY: Pressure = { received: 0, settled: 0, line_ms: 0, fill: 0 };

export class SheddingPart implements RunPart {
  readonly #running: Running;
  #shedder: LoadShedder | undefined;
  #applied = "";
  #updated_ms = performance.now();

  constructor(running: Running) {
    this.#running = running;
  }

  apply({ shedding, batching }: Config): void {
    const applied = JSON.stringify(shedding);
    if (applied === this.#applied) return;
    this.#applied = applied;
    this.#updated_ms = performance.now();
    // A source that waits loses nothing; and what a replay keeps must not depend on how fast this machine is.
    const enabled = shedding.enabled && !this.#running.sourceWaits;
    const { min_multiplier } = shedding;
    const target_ms = batching.target_latency_ms;
    this.#shedder = enabled ? new LoadShedder({ min_multiplier, target_ms }) : undefined;
    samplingOf(this.#running).manager.shed(1);
  }

  tick(): void {
    const elapsed_ms = performance.now() - this.#updated_ms;
    if (this.#shedder === undefined || elapsed_ms < INTERVAL_MS) return;
    this.#updated_ms += elapsed_ms;
    const multiplier = this.#shedder.update(this.#pressure(), elapsed_ms);
    samplingOf(this.#running).manager.shed(multiplier);
  }

  #pressure(): Pressure {
    const rings = this.#running.pipelines.map(({ ring }) => ring.availableBytes() / ring.sizeBytes);
    const delivery = deliveryOf(this.#running)?.pressure() ?? NO_DELIVERY;
    return { ...delivery, fill: Math.max(delivery.fill, ...rings) };
  }

  observe(observe: Observe): void {
    observe(SAMPLING.shedMultiplier, samplingOf(this.#running).manager.shedMultiplier);
  }
}

export const sheddingPart: RunPartKind = {
  name: "shedding",
  create: (running) => new SheddingPart(running),
};
