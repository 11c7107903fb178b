import { expect, test } from "vitest";
import { ConfigError, pathText } from "#core/config/config_error.ts";

test("a path reads as in a document", () => {
  expect(pathText(["filters", "rules", 2, "pid"])).toBe("filters.rules[2].pid");
  expect(pathText([0, "name"])).toBe("[0].name");
});

test("a refusal says where, what and what to do, in one line", () => {
  const error = new ConfigError(["port"], "70000 is no port", "give 0 to 65535");
  expect(error.message).toBe("port: 70000 is no port; give 0 to 65535");
});

test("a refusal within a larger document keeps its reason", () => {
  const inner = new ConfigError(["port"], "70000 is no port", "give 0 to 65535");
  const outer = inner.within("filters", "rules", 3);
  expect(outer.message).toBe("filters.rules[3].port: 70000 is no port; give 0 to 65535");
  expect(outer.path).toEqual(["filters", "rules", 3, "port"]);
});

test("a refusal of the whole says so", () => {
  expect(new ConfigError([], "is empty").message).toBe("configuration: is empty");
});
