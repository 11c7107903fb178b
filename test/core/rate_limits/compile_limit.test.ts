import { describe, expect, it } from "vitest";
import { burstOf, compileLimit, UNITS_PER_S, UNLIMITED } from "#core/rate_limits/compile_limit.ts";
import { rateLimitConfigSchema } from "#core/rate_limits/rate_limit_config.ts";

describe("a compiled limit", () => {
  it.each([0.001, 1, 3, 999, 123_456, 1e6, 1e7])(
    "of %f events/s is met from below within 1 %",
    (rate) => {
      const { interval } = compileLimit({ events_per_s: rate });
      const met = UNITS_PER_S / Number(interval);
      expect(met).toBeLessThanOrEqual(rate);
      expect(met).toBeGreaterThan(0.99 * rate);
    },
  );

  it("holds the burst but for the event that finds it", () => {
    const { interval, credit, slack } = compileLimit({ events_per_s: 1000, burst: 17 });
    expect(credit + slack).toBe(16n * interval);
    expect(compileLimit({ events_per_s: 1000, burst: 1 })).toMatchObject({ credit: 0n, slack: 0n });
    expect(burstOf({ events_per_s: 5 })).toBe(1);
    expect(burstOf({ events_per_s: 5000 })).toBe(500);
    expect(compileLimit(undefined)).toBe(UNLIMITED);
  });

  it.each([
    [{ per_pid: { events_per_s: 0 } }],
    [{ per_pid: { events_per_s: -1 } }],
    [{ per_pid: { events_per_s: Number.NaN } }],
    [{ per_pid: { events_per_s: 1e9 } }],
    [{ per_pid: { events_per_s: 10, burst: 0 } }],
    [{ per_pid: { events_per_s: 10, burst: 1.5 } }],
    [{ per_user: { events_per_s: 10 } }],
  ])("%j is refused", (config) => {
    expect(rateLimitConfigSchema.safeParse(config).success).toBe(false);
  });
});
