import { describe, expect, it } from "vitest";
import { integerOption, secondsOption } from "#cli/numbers.ts";
import { UsageError } from "#cli/usage_error.ts";

describe("a whole number", () => {
  const parse = (value: string | undefined) => integerOption("cpus", value, [1, 64], 7);

  it("is the fallback where it is not given", () => expect(parse(undefined)).toBe(7));

  it.each([
    ["1", 1],
    ["64", 64],
  ])("%s, at the end of its range, is taken", (text, value) => expect(parse(text)).toBe(value));

  it.each(["0", "65", "", " ", "1.5", "-1", "x", "1x", "NaN", "Infinity"])(
    "%j is refused with its range",
    (text) => {
      expect(() => parse(text)).toThrow(UsageError);
      expect(() => parse(text)).toThrow(`--cpus ${text}: give a whole number from 1 to 64`);
    },
  );

  it("that is blank is not zero", () => {
    expect(() => integerOption("seed", " ", [0, 10], 1)).toThrow(UsageError);
  });
});

describe("seconds", () => {
  it.each([
    [undefined, undefined],
    ["0.25", 0.25],
    ["1e3", 1000],
  ])("%s is %s", (text, value) => expect(secondsOption("duration", text)).toBe(value));

  it.each(["0", "-1", "", " ", "Infinity", "1s"])("%j is refused", (text) => {
    expect(() => secondsOption("duration", text)).toThrow(UsageError);
  });

  it("may be 0 where a start is asked for, and never less", () => {
    expect(secondsOption("from", "0", 0)).toBe(0);
    expect(() => secondsOption("from", " ", 0)).toThrow(UsageError);
    expect(() => secondsOption("from", "-0.1", 0)).toThrow(UsageError);
  });
});
