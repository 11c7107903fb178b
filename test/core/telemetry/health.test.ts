import { describe, expect, it } from "vitest";
import { CALM_EVALUATIONS, Health, type HealthInputs } from "#core/telemetry/health.ts";

const FINE: HealthInputs = {
  seen: 1000,
  lost: 0,
  residual: 0,
  ringUtilization: 0.1,
  staleIntervals: 1,
  shedMultiplier: 1,
  deliveryProblems: [],
  exporterFailures: 0,
  attachFailures: 0,
  verificationFailures: 0,
};

describe("health", () => {
  it.each<[string, Partial<HealthInputs>, string, RegExp]>([
    ["no loss", {}, "healthy", /^$/],
    ["a little loss", { lost: 1 }, "degraded", /0\.1 % of the events were lost/],
    ["much loss", { lost: 100 }, "failing", /10\.0 % of the events/],
    ["less loss than counts", { seen: 10_000, lost: 9 }, "healthy", /^$/],
    ["an open book", { residual: 1 }, "failing", /1 events are unaccounted/],
    ["a full ring", { ringUtilization: 0.8 }, "degraded", /80\.0 % full/],
    ["a full disk", { deliveryProblems: ["ENOSPC"] }, "degraded", /not taken: ENOSPC/],
    [
      "shed load",
      { shedMultiplier: 0.25 },
      "degraded",
      /load is shed: ordinary events are kept at 25.0 % of their sampling rates/,
    ],
    ["old statistics", { staleIntervals: 3 }, "degraded", /3 intervals old/],
    ["very old statistics", { staleIntervals: 12 }, "failing", /12 intervals old/],
    ["an exporter that fails", { exporterFailures: 1 }, "degraded", /last 1 exports failed/],
    ["one that keeps failing", { exporterFailures: 5 }, "failing", /last 5 exports failed/],
    ["a hook that is missing", { attachFailures: 2 }, "failing", /2 attachments failed/],
    ["a refused program", { verificationFailures: 1 }, "failing", /verifier refused 1/],
  ])("%s", (_, change, state, problem) => {
    const report = new Health().evaluate({ ...FINE, ...change });
    expect(report.state).toBe(state);
    expect(report.reasons[0]?.problem ?? "").toMatch(problem);
    for (const { remedy } of report.reasons) expect(remedy).not.toBe("");
  });

  it("names the worst reason first", () => {
    const report = new Health().evaluate({ ...FINE, ringUtilization: 0.9, residual: 3 });
    expect(report.reasons.map(({ state }) => state)).toEqual(["failing", "degraded"]);
  });

  it("gets worse at once, and better only after a calm time", () => {
    const health = new Health();
    expect(health.evaluate({ ...FINE, lost: 500 }).state).toBe("failing");
    for (let i = 1; i < CALM_EVALUATIONS; i++) expect(health.evaluate(FINE).state).toBe("failing");
    expect(health.evaluate(FINE).state).toBe("healthy");
    expect(health.evaluate({ ...FINE, lost: 500 }).state).toBe("failing");
    health.evaluate(FINE);
    expect(health.evaluate({ ...FINE, lost: 500 }).state).toBe("failing");
    expect(health.evaluate(FINE).state).toBe("failing");
  });
});
