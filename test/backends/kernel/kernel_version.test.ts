import { expect, it } from "vitest";
import { kernelAtLeast } from "#kernel/kernel_version.ts";

it.each([
  ["5.10", "5.10.0-46-cloud-amd64", true],
  ["5.10", "5.9.99", false],
  ["5.11", "5.9.99", false],
  ["5.8", "5.10.262", true],
  ["6.6", "6.18.44-fc", true],
  ["6.6", "7.0.1", true],
  ["5.10", "something else", false],
])("%s or newer: %s is %s", (version, running, expected) => {
  expect(kernelAtLeast(version, running)).toBe(expected);
});
