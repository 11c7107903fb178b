import { describe, expect, test } from "vitest";
import { rateFromThreshold, weightFromThreshold } from "#core/sampling/threshold.ts";
import {
  decodeRandomness,
  decodeThreshold,
  encodeRandomness,
  encodeThreshold,
  equalize,
  proportion,
  readTracestate,
  thresholdWithPrecision,
  writeTracestate,
} from "#core/sampling/tracestate.ts";

/** The specification's table of 1-in-N probabilities, at precisions 3, 4 and 5. */
const ONE_IN_N: readonly (readonly [number, string, string, string])[] = [
  [1, "0", "0", "0"],
  [2, "8", "8", "8"],
  [3, "aab", "aaab", "aaaab"],
  [4, "c", "c", "c"],
  [5, "ccd", "cccd", "ccccd"],
  [8, "e", "e", "e"],
  [10, "e66", "e666", "e6666"],
  [16, "f", "f", "f"],
  [100, "fd71", "fd70a", "fd70a4"],
  [1000, "ffbe7", "ffbe77", "ffbe76d"],
  [10_000, "fff972", "fff9724", "fff97247"],
  [100_000, "ffff584", "ffff583a", "ffff583a5"],
  [1_000_000, "ffffef4", "ffffef39", "ffffef391"],
];

/** Its "exact adjusted counts" at the same precisions, where they are not N. */
const ADJUSTED: readonly (readonly [string, number])[] = [
  ["aab", 3.0007326007326007],
  ["ccd", 5.001221001221001],
  ["e666", 9.99938968568813],
  ["fd71", 100.05496183206107],
  ["ffbe77", 1000.012874769029],
  ["fff97247", 9999.99370426336],
  ["ffff584", 100013.21013412817],
  ["ffffef391", 1.0000069374699865e6],
];

describe("thresholds of the specification's table", () => {
  const cells = ONE_IN_N.flatMap(([n, ...texts]) =>
    texts.map((text, index) => [n, index + 3, text] as const),
  );
  test("has 39 values", () => expect(cells).toHaveLength(39));
  test.each(cells)("1 in %i at precision %i is %s", (n, precision, text) => {
    expect(encodeThreshold(thresholdWithPrecision(1 / n, precision))).toBe(text);
  });
  test.each(ADJUSTED)("th %s stands for %f events", (text, count) => {
    expect(weightFromThreshold(decodeThreshold(text)!)).toBeCloseTo(count, 9 - Math.log10(count));
  });
});

describe("near probability 1", () => {
  test.each([
    [0.999999, 4],
    [1 - 2 ** -53, 1],
    [0.97, 3],
    [1 - 1e-12, 5],
  ])("%f at precision %i stays below 1 and decodes to itself", (rate, precision) => {
    const threshold = thresholdWithPrecision(rate, precision);
    const text = encodeThreshold(threshold);
    expect(text).toMatch(/^[0-9a-f]{1,14}$/);
    expect(threshold).toBeGreaterThan(0n);
    expect(decodeThreshold(text)).toBe(threshold);
    const rejected = 1 - rateFromThreshold(threshold);
    expect(Math.abs(rejected - (1 - rate))).toBeLessThanOrEqual((1 - rate) * 0.5 + 2 ** -56);
  });
  test("leading zeros are kept: 0.97 is not read back as 0.52", () => {
    const text = encodeThreshold(thresholdWithPrecision(0.97, 4));
    expect(text).toBe("07ae");
    expect(rateFromThreshold(decodeThreshold(text)!)).toBeCloseTo(0.97, 5);
  });
  test("a rate of 1 is th 0", () => {
    expect(encodeThreshold(thresholdWithPrecision(1, 4))).toBe("0");
  });
  test("the least rate rounds to the largest threshold, not over it", () => {
    expect(encodeThreshold(thresholdWithPrecision(2 ** -56, 1))).toBe("ffffffffffffff");
    expect(encodeThreshold(thresholdWithPrecision(0, 1))).toBe("ffffffffffffff");
  });
});

describe("th and rv texts", () => {
  test.each([
    ["0", 0n],
    ["4", 0x40000000000000n],
    ["c", 0xc0000000000000n],
    ["08", 0x08000000000000n],
    ["00000000000001", 1n],
    ["fd70a4", 0xfd70a400000000n],
  ])("th %s decodes, and encodes back", (text, threshold) => {
    expect(decodeThreshold(text)).toBe(threshold);
    expect(encodeThreshold(threshold)).toBe(text);
  });
  test.each(["", "000000000000000", "C", "g", "-1", " 8", "8\n", "0x8"])(
    "th %j is none",
    (text) => {
      expect(decodeThreshold(text)).toBeUndefined();
    },
  );
  test.each(["", "0", "123456789abcd", "123456789abcdef", "123456789ABCDE"])(
    "rv %j is none",
    (text) => {
      expect(decodeRandomness(text)).toBeUndefined();
    },
  );
  test("rv has exactly 14 digits", () => {
    expect(encodeRandomness(1n)).toBe("00000000000001");
    expect(decodeRandomness("00000000000001")).toBe(1n);
  });
  test("more than 56 bits are refused", () => {
    expect(() => encodeThreshold(1n << 56n)).toThrow(/56 bits/);
    expect(() => encodeRandomness(-1n)).toThrow(/56 bits/);
  });
});

describe("sampling again", () => {
  const half = 0x80000000000000n;
  const quarter = 0xc0000000000000n;
  test("equalizing never lowers a threshold", () => {
    expect(equalize(quarter, half, quarter)).toBe(quarter);
    expect(equalize(0n, half, half)).toBe(half);
    expect(equalize(0n, half, half - 1n)).toBeUndefined();
  });
  test("proportions multiply", () => {
    expect(proportion(half, 0.5, quarter)).toBe(quarter);
    expect(proportion(half, 0.5, quarter - 1n)).toBeUndefined();
    expect(proportion(0n, 1, 0n)).toBe(0n);
  });
  test("less than the least probability is rejected", () => {
    expect(proportion((1n << 56n) - 1n, 0.4, (1n << 56n) - 1n)).toBeUndefined();
  });
});

describe("tracestate headers", () => {
  test("th and rv are read from the ot entry among others", () => {
    expect(readTracestate("rojo=00f067aa,ot=th:c;rv:d29d6a7215ced0;k1:13")).toEqual({
      threshold: 0xc0000000000000n,
      randomness: 0xd29d6a7215ced0n,
    });
  });
  test.each([
    "",
    "a=b",
    "ot=",
    "ot=th:",
    "ot=th:xyz",
    "ot=th:8;th:8",
    "ot=TH:8",
    "ot=th8",
    "ot=th:8;b:a b",
  ])("%j says nothing of a threshold", (header) => {
    expect(readTracestate(header).threshold).toBeUndefined();
  });
  test("writing keeps what belongs to others and moves the entry to the front", () => {
    const header = "rojo=1,ot=p:8;th:0;r:62";
    const written = writeTracestate(header, {
      threshold: 0x80000000000000n,
      randomness: undefined,
    });
    expect(written).toBe("ot=p:8;r:62;th:8,rojo=1");
  });
  test("undefined erases the threshold, and the entry with its last field", () => {
    const header = writeTracestate("ot=th:8,a=1", { threshold: undefined, randomness: undefined });
    expect(header).toBe("a=1");
  });
  test("an entry of more than 256 characters is refused", () => {
    const header = `ot=x:${"a".repeat(250)}`;
    expect(() => writeTracestate(header, { threshold: 1n, randomness: 1n })).toThrow(/256/);
  });
});

/** 10^6 by default would not fit the budget of `npm test`; TAPIO_ROUND_TRIPS sets the number. */
test("fuzzed thresholds survive the text, those near 0 and near 2^56 too", () => {
  const count = Number(process.env["TAPIO_ROUND_TRIPS"] ?? 50_000);
  let state = 0x9e3779b97f4a7c15n;
  for (let i = 0; i < count; i++) {
    state = BigInt.asUintN(64, state * 6364136223846793005n + 1442695040888963407n);
    const raw = (state >> 8n) >> BigInt(i % 56);
    const threshold = i % 2 === 0 ? raw : (1n << 56n) - 1n - raw;
    const text = encodeThreshold(threshold);
    if (decodeThreshold(text) !== threshold) expect(text).toBe(threshold);
    if (!/^([0-9a-f]{0,13}[1-9a-f]|0)$/.test(text)) expect.unreachable(`th ${text}`);
    if (decodeRandomness(encodeRandomness(threshold)) !== threshold) expect.unreachable();
    const rate = rateFromThreshold(threshold);
    const precise = thresholdWithPrecision(rate, 1 + (i % 14));
    if (decodeThreshold(encodeThreshold(precise)) !== precise) expect.unreachable();
  }
});
