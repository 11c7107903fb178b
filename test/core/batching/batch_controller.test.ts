/** The controller in virtual time: one server, events that come steadily, a service that gets slower for a while. */
import { describe, expect, it } from "vitest";
import { BatchController } from "#core/batching/batch_controller.ts";

const RATE_PER_MS = 50;
const PER_EVENT_MS = 0.01;
const FIXED_MS = 5;
const SHOCK = { from_ms: 20_000, to_ms: 40_000, factor: 3.6 };
const END_MS = 80_000;
const TARGET_MS = 50;
const STEP_MS = 0.5;

interface Rule {
  readonly size: number;
  arrived(count: number, elapsed_ms: number): void;
  sent(size: number, service_ms: number, sojourn_ms: number): void;
}

/** What the original does: shrink by a tenth where it is late, grow by a tenth where it is early. */
class OriginalRule implements Rule {
  size = 1000;
  arrived(): void {}
  sent(_size: number, _service_ms: number, sojourn_ms: number): void {
    if (sojourn_ms > 1.1 * TARGET_MS) this.size = Math.max(10, this.size * 0.9);
    else if (sojourn_ms < 0.9 * TARGET_MS) this.size = Math.min(10_000, this.size * 1.1);
  }
}

interface Sent {
  readonly at_ms: number;
  readonly sojourn_ms: number;
  readonly count: number;
}

function simulate(rule: Rule): { readonly sent: Sent[]; readonly left: number } {
  const sent: Sent[] = [];
  let [queued, oldest_ms, busyUntil_ms, looked_ms, arrived] = [0, 0, 0, 0, 0];
  // Events come evenly, so the oldest one's time follows from how many left before it.
  let gone = 0;
  for (let now_ms = 0; now_ms < END_MS; now_ms += STEP_MS) {
    queued += RATE_PER_MS * STEP_MS;
    arrived += RATE_PER_MS * STEP_MS;
    if (now_ms - looked_ms >= 100) {
      rule.arrived(arrived, now_ms - looked_ms);
      [arrived, looked_ms] = [0, now_ms];
    }
    if (now_ms < busyUntil_ms || queued < Math.round(rule.size)) continue;
    const count = Math.min(queued, Math.round(rule.size));
    const shocked = now_ms >= SHOCK.from_ms && now_ms < SHOCK.to_ms;
    const service_ms = FIXED_MS * (shocked ? SHOCK.factor : 1) + PER_EVENT_MS * count;
    oldest_ms = gone / RATE_PER_MS;
    queued -= count;
    gone += count;
    busyUntil_ms = now_ms + service_ms;
    const sojourn_ms = busyUntil_ms - oldest_ms;
    sent.push({ at_ms: busyUntil_ms, sojourn_ms, count });
    rule.sent(count, service_ms, sojourn_ms);
  }
  return { sent, left: queued };
}

/** P95 of what was acknowledged in a stretch, batches weighed by their events. */
function p95(sent: readonly Sent[], from_ms: number, to_ms: number): number {
  const inside = sent
    .filter(({ at_ms }) => at_ms >= from_ms && at_ms < to_ms)
    .sort((a, b) => a.sojourn_ms - b.sojourn_ms);
  const total = inside.reduce((sum, { count }) => sum + count, 0);
  let below = 0;
  for (const { sojourn_ms, count } of inside) {
    below += count;
    if (below >= 0.95 * total) return sojourn_ms;
  }
  return Number.POSITIVE_INFINITY;
}

const options = { min_batch_size: 10, max_batch_size: 10_000, target_latency_ms: TARGET_MS };

describe("a service that gets 3.6 times slower for 20 s, at 50,000 events/s", () => {
  it("is met by larger batches; P95 is back at the target ten seconds after it", () => {
    const { sent, left } = simulate(new BatchController(options));
    expect(p95(sent, 10_000, SHOCK.from_ms)).toBeLessThanOrEqual(1.1 * TARGET_MS);
    // It stays stable within the shock: nothing piles up, and delays stay in the order of the target.
    expect(p95(sent, SHOCK.to_ms - 5000, SHOCK.to_ms)).toBeLessThanOrEqual(2 * TARGET_MS);
    expect(p95(sent, SHOCK.to_ms + 10_000, END_MS)).toBeLessThanOrEqual(1.1 * TARGET_MS);
    expect(left).toBeLessThan(RATE_PER_MS * 2 * TARGET_MS);
  });

  it("ends the original's rule for good: its batches shrink, and its queue grows", () => {
    const rule = new OriginalRule();
    const { sent, left } = simulate(rule);
    expect(p95(sent, END_MS - 5000, END_MS)).toBeGreaterThan(10 * TARGET_MS);
    expect(left).toBeGreaterThan(RATE_PER_MS * 10_000);
    expect(rule.size).toBe(10);
  });
});

describe("the fit", () => {
  it("finds fixed and per-event cost, the floor and the overload", () => {
    const controller = new BatchController(options);
    for (let i = 0; i < 100; i++) controller.arrived(5000, 100);
    for (let i = 0; i < 200; i++) {
      const size = 100 + 50 * (i % 10);
      controller.sent(size, 8 + 0.01 * size, 10);
    }
    const { fixed_ms, perEvent_ms } = controller.fit();
    expect(fixed_ms).toBeCloseTo(8, 6);
    expect(perEvent_ms).toBeCloseTo(0.01, 8);
    expect(controller.floor()).toBeCloseTo((50 * 8) / (1 - 0.5), 1);
    expect(controller.overload()).toBe(1);
    for (let i = 0; i < 100; i++) controller.arrived(20_000, 100);
    expect(controller.floor()).toBe(Number.POSITIVE_INFINITY);
    expect(controller.overload()).toBeGreaterThan(2);
  });
});
