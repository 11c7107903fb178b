import { describe, expect, it } from "vitest";
import { BpfError } from "#core/errors.ts";
import { PeakWindow } from "#core/stats/peak_window.ts";

const MINUTE_MS = 60_000;

describe("PeakWindow", () => {
  it("has no peak before the first value", () => {
    expect(new PeakWindow().peak(0)).toBeUndefined();
  });

  it("keeps a peak for a minute and for five, then lets it go", () => {
    const window = new PeakWindow();
    window.record(0, 90);
    window.record(10_000, 40);
    expect(window.peak(MINUTE_MS, MINUTE_MS)).toBe(90);
    expect(window.peak(MINUTE_MS + 1_000, MINUTE_MS)).toBe(40);
    expect(window.peak(MINUTE_MS + 11_000, MINUTE_MS)).toBeUndefined();
    expect(window.peak(5 * MINUTE_MS)).toBe(90);
    expect(window.peak(5 * MINUTE_MS + 1_000)).toBe(40);
    expect(window.peak(5 * MINUTE_MS + 11_000)).toBeUndefined();
  });

  it("covers at least the span asked for and less than one bucket more, at every phase", () => {
    for (let phase = 0; phase < 10; phase += 1) {
      const window = new PeakWindow({ span_ms: 100, bucket_ms: 10 });
      window.record(1_000 + phase, 7);
      expect(window.peak(1_100 + phase, 100), `phase ${phase}`).toBe(7);
      expect(window.peak(1_110 + phase, 100), `phase ${phase}`).toBeUndefined();
    }
  });

  it("forgets everything over a long silence, also a multiple of the ring", () => {
    const window = new PeakWindow({ span_ms: 50, bucket_ms: 10 });
    window.record(5, 1);
    expect(window.peak(5 + 60)).toBeUndefined();
    window.record(100, 2);
    expect(window.peak(1e12)).toBeUndefined();
  });

  it("counts a value from the past as of now, and takes negative values and times", () => {
    const window = new PeakWindow({ span_ms: 50, bucket_ms: 10 });
    window.record(-1_000, -5);
    expect(window.peak(-1_000)).toBe(-5);
    window.record(-2_000, -3);
    expect(window.peak(-1_000)).toBe(-3);
  });

  it("equals the maximum of the values in range under random schedules", () => {
    let state = 12345;
    const random = () => {
      state = (state * 1103515245 + 12345) % 2147483648;
      return state / 2147483648;
    };
    const window = new PeakWindow({ span_ms: 300, bucket_ms: 10 });
    const seen: [bucket: number, value: number][] = [];
    let now_ms = 0;
    for (let step = 0; step < 5_000; step += 1) {
      now_ms += Math.floor(random() ** 4 * 200);
      const value = random();
      if (random() < 0.6) {
        window.record(now_ms, value);
        seen.push([Math.floor(now_ms / 10), value]);
      }
      const oldest = Math.floor(now_ms / 10) - 10;
      const inside = seen.filter(([bucket]) => bucket >= oldest).map(([, peak]) => peak);
      const expected = inside.length === 0 ? undefined : Math.max(...inside);
      expect(window.peak(now_ms, 100)).toBe(expected);
    }
  });

  it("refuses NaN, spans beyond its own and buckets of no length", () => {
    const window = new PeakWindow({ span_ms: 50, bucket_ms: 10 });
    expect(() => window.record(0, Number.NaN)).toThrow(BpfError);
    expect(() => window.record(Number.NaN, 1)).toThrow(BpfError);
    expect(() => window.peak(0, 51)).toThrow(BpfError);
    expect(() => new PeakWindow({ bucket_ms: 0 })).toThrow(BpfError);
  });
});
