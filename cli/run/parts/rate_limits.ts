/** Rate limits of a run. */
import type { Config } from "#core/config/config.ts";
import { RATE_LIMIT_KEYS, type RateLimitConfig } from "#core/rate_limits/rate_limit_config.ts";
import { RateLimitTable } from "#core/rate_limits/rate_limit_table.ts";
import type { Observe } from "#core/telemetry/instrument.ts";
import { RATE_LIMITS } from "#core/telemetry/instruments/rate_limits.ts";
import type { Running } from "../running.ts";
import type { RunPart, RunPartKind } from "./part.ts";

/** Between two sweeps of idle buckets. */
const SWEEP_NS = 10_000_000_000n;

export class RateLimitsPart implements RunPart {
  readonly #tables: readonly (readonly [collector: string, table: RateLimitTable])[];
  #config: RateLimitConfig = {};
  #swept_ns: bigint | undefined;

  constructor(running: Running) {
    this.#tables = running.collectors.map(
      ({ spec, object }) => [spec.name, new RateLimitTable(object)] as const,
    );
  }

  get limits(): RateLimitConfig {
    return this.#config;
  }

  /** A reload for other reasons leaves limits and buckets alone. */
  apply({ rate_limits }: Config): void {
    if (JSON.stringify(rate_limits) === JSON.stringify(this.#config)) return;
    for (const [, table] of this.#tables) table.publish(rate_limits);
    this.#config = rate_limits;
  }

  tick(now_ns: bigint): void {
    if (Object.keys(this.#config).length === 0) return;
    if (this.#swept_ns !== undefined && now_ns - this.#swept_ns < SWEEP_NS) return;
    if (this.#swept_ns !== undefined) {
      for (const [, table] of this.#tables) table.sweep(now_ns, this.#config);
    }
    this.#swept_ns = now_ns;
  }

  observe(observe: Observe): void {
    for (const [program_name, table] of this.#tables) {
      observe(RATE_LIMITS.buckets, table.buckets(), { program_name });
    }
    for (const key of RATE_LIMIT_KEYS) {
      const limit = this.#config[key];
      if (limit !== undefined) observe(RATE_LIMITS.limit, limit.events_per_s, { key });
    }
  }
}

export const rateLimitsPart: RunPartKind = {
  name: "rate_limits",
  create: (running) => new RateLimitsPart(running),
};
