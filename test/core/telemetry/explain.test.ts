import { describe, expect, it } from "vitest";
import { configJsonSchema } from "#core/config/config.ts";
import { closeBooks, EMPTY_BOOKS } from "#core/pipeline/books.ts";
import {
  explainBooks,
  LOSS_REASONS,
  type LossReason,
  REMEDIES,
  unknownReasons,
} from "#core/telemetry/explain.ts";
import { RingForecast } from "#core/telemetry/ring_forecast.ts";

const BOOKS = closeBooks({
  ...EMPTY_BOOKS,
  seen: 1000,
  filtered: 100,
  rate_limited: 50,
  sampled_out: 25,
  dropped: { ring_full: 10, malformed: 5 },
  delivered: 800,
  in_flight: 10,
  unobserved: 3,
});

describe("the waterfall", () => {
  it("leads from seen to delivered, with the knob of every step", () => {
    const { steps, seen, delivered, in_flight, residual } = explainBooks(BOOKS);
    expect(residual).toBe(0);
    expect(steps.map(({ reason, count, left }) => [reason, count, left])).toEqual([
      ["filtered", 100, 900],
      ["rate_limited", 50, 850],
      ["sampled_out", 25, 825],
      ["ring_full", 10, 815],
      ["malformed", 5, 810],
      ["unobserved", 3, 810],
    ]);
    expect(
      seen - steps.reduce((sum, s) => sum + (s.reason === "unobserved" ? 0 : s.count), 0),
    ).toBe(delivered + in_flight);
    for (const { knob, advice } of steps) expect(knob.length * advice.length).toBeGreaterThan(0);
  });

  it("leaves out what did not occur, and knows every reason", () => {
    expect(explainBooks(EMPTY_BOOKS).steps).toEqual([]);
    expect(Object.keys(REMEDIES).sort()).toEqual([...LOSS_REASONS].sort());
    expect(unknownReasons({ ...BOOKS, dropped: { ring_full: 1, cosmic_ray: 1 } })).toEqual([
      "cosmic_ray",
    ]);
  });
});

/** What decides, by the configuration's own names; undefined where no setting does. */
const SETTINGS: Readonly<Record<LossReason, string | undefined>> = {
  filtered: "filters.rules",
  rate_limited: "rate_limits",
  sampled_out: "sampling",
  ring_full: "rings.bytes",
  ring_reserved: "rings.reserved_share",
  malformed: undefined,
  encoding_failed: undefined,
  queue_full: "batching.buffer_bytes",
  log_full: "log.max_bytes",
  log_failed: "log.path",
  sink_failed: "batching.max_retries",
  sink_rejected: "sinks",
  shutdown: "batching.shutdown_timeout_ms",
  unobserved: undefined,
};

function settingExists(path: string): boolean {
  type Node = { properties?: Record<string, Node> };
  let node: Node | undefined = configJsonSchema() as Node;
  for (const name of path.split(".")) node = node?.properties?.[name];
  return node !== undefined;
}

describe("a run that lost events for one reason only", () => {
  const counted: readonly LossReason[] = ["filtered", "rate_limited", "sampled_out", "unobserved"];

  it.each(LOSS_REASONS)("%s: its setting, and no other", (reason) => {
    const part = counted.includes(reason) ? { [reason]: 7 } : { dropped: { [reason]: 7 } };
    const delivered = reason === "unobserved" ? 100 : 93;
    const books = closeBooks({ ...EMPTY_BOOKS, seen: 100, delivered, ...part });
    expect(books.residual).toBe(0);
    const { steps } = explainBooks(books);
    expect(steps.map((step) => [step.reason, step.count])).toEqual([[reason, 7]]);
    const setting = SETTINGS[reason];
    if (setting === undefined) expect(settingExists(steps[0]!.knob)).toBe(false);
    else {
      expect(steps[0]!.knob).toBe(setting);
      expect(settingExists(setting)).toBe(true);
    }
    // Settings that the advice mentions exist too.
    for (const [, name] of steps[0]!.advice.matchAll(/\b([a-z]+\.[a-z_]+)\b/g)) {
      expect(settingExists(name!), name).toBe(true);
    }
  });
});

describe("the forecast of a ring's size", () => {
  it("keeps the size while the loss is within the target", () => {
    const forecast = new RingForecast();
    expect(forecast.size(4096, 0)).toBe(4096);
    forecast.record(1_000_000, 900);
    expect(forecast.loss).toBe(0.0009);
    expect(forecast.size(4096, 0.001)).toBe(4096);
  });

  it("adds what the worst stretches lacked", () => {
    const forecast = new RingForecast();
    for (let i = 0; i < 99; i++) forecast.record(10_000, 0);
    forecast.record(10_000, 9000);
    // 16,384 hold 12,288 more than 4,096, and so all of the 9,000; 8,192 leave 4,904 of a million out.
    expect(forecast.size(4096, 0)).toBe(16_384);
    expect(forecast.size(4096, 0.005)).toBe(8192);
  });

  it("forgets the oldest stretches", () => {
    const forecast = new RingForecast();
    forecast.record(10, 10);
    for (let i = 0; i < 720; i++) forecast.record(10, 0);
    expect(forecast.loss).toBe(0);
  });
});
