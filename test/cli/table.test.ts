import { expect, it } from "vitest";
import { formatCount, formatTable } from "#cli/table.ts";

it("counts have their thousands apart, whatever the machine's language", () => {
  expect([0, 999, 1000, 1234567].map(formatCount)).toEqual(["0", "999", "1,000", "1,234,567"]);
});

it("the first column is flush left, the others flush right, nothing trails", () => {
  const rows = [
    ["name", "n"],
    ["a", "1,000"],
    ["longer name", ""],
  ];
  expect(formatTable(rows)).toBe("  name             n\n  a            1,000\n  longer name");
});

it("rows of different lengths keep their columns, and no row is no line", () => {
  expect(formatTable([["a"], ["b", "22", "3"]], "")).toBe("a\nb  22  3");
  expect(formatTable([])).toBe("");
});
