/** No bucket admits more than its bound in any window, however the CPUs' programs are interleaved. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { admittedAtMost } from "#core/rate_limits/compile_limit.ts";
import type { RateLimit, RateLimitConfig } from "#core/rate_limits/rate_limit_config.ts";
import { RateLimitTable } from "#core/rate_limits/rate_limit_table.ts";
import { DEFAULT_ENGINE } from "#wasm/engines/engines.ts";
import { RECORDING_CPUS, recordedHook } from "../arbitraries/recordings.ts";
import { type Admitted, configuration, runPipeline } from "../pipeline/pipeline_run.ts";
import { checkAsyncProperty } from "../property.ts";

const limit: fc.Arbitrary<RateLimit> = fc.record({
  events_per_s: fc.constantFrom(0.5, 10, 1000, 1e5, 1e6),
  burst: fc.constantFrom(1, 2, 3, 10, 50),
});

const KEY_OF: Readonly<Record<string, (event: Admitted) => string>> = {
  per_program: ({ program }) => program,
  per_event_type: ({ program, type }) => `${program} ${type}`,
  per_pid: ({ program, pid }) => `${program} ${pid}`,
};

const limits: fc.Arbitrary<RateLimitConfig> = fc.record(
  { per_program: limit, per_event_type: limit, per_pid: limit },
  { requiredKeys: [] },
);

/** Throws where some window of one bucket holds more than its bound. */
function expectBounded(times_ns: readonly number[], limit: RateLimit, cpus: number): void {
  const sorted = [...times_ns].sort((a, b) => a - b);
  for (let first = 0; first < sorted.length; first++) {
    for (let last = first; last < sorted.length; last++) {
      const window_ns = sorted[last]! - sorted[first]!;
      const count = last - first + 1;
      const most = admittedAtMost(limit, window_ns, cpus);
      if (count > most) {
        throw new Error(`${count} events in ${window_ns} ns, where ${most} are the most`);
      }
    }
  }
}

describe("rate limits", () => {
  it("hold in every window, under every schedule", async () => {
    const recording = fc.array(recordedHook, { maxLength: 120, size: "max" });
    const property = fc.asyncProperty(
      recording,
      configuration,
      limits,
      async (records, configured, wanted) => {
        // Rings large enough: an event that was admitted and then lost would be missing below.
        const roomy = { ...configured, ringPages: 64, constants: {} };
        const { journal, books } = await runPipeline(records, roomy, DEFAULT_ENGINE, (object) =>
          new RateLimitTable(object).publish(wanted),
        );
        for (const { dropped } of Object.values(books)) expect(dropped["ring_full"]).toBe(0);
        for (const [key, of] of Object.entries(KEY_OF)) {
          const own = wanted[key as keyof RateLimitConfig];
          if (own === undefined) continue;
          const buckets = new Map<string, number[]>();
          for (const event of journal.admitted) {
            const times = buckets.get(of(event)) ?? [];
            times.push(event.time_ns);
            buckets.set(of(event), times);
          }
          for (const times of buckets.values()) expectBounded(times, own, RECORDING_CPUS);
        }
      },
    );
    await checkAsyncProperty("rate limits are bounded", property);
  });
});
