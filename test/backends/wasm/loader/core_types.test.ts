import { expect, it } from "vitest";
import { essentialName } from "#wasm/loader/core_types.ts";

it.each([
  ["task_struct", "task_struct"],
  ["task_struct___v5", "task_struct"],
  ["a___b___c", "a___b"],
  ["a___b", "a"],
  // Not between other characters, or not just three.
  ["___a", "___a"],
  ["a___", "a___"],
  ["a____b", "a____b"],
  ["a__b", "a__b"],
  ["a_____b", "a_____b"],
  ["", ""],
])("%j without its flavor is %j", (name, essential) => {
  expect(essentialName(name)).toBe(essential);
});
