import { describe, expect, test } from "vitest";
import { z } from "zod";
import { ConfigError } from "#core/config/config_error.ts";
import { ConfigFileError, parseConfig, parseYaml } from "#core/config/parse_config.ts";
import { thrown } from "../../support/thrown.ts";

function refusal(text: string): ConfigFileError {
  const error = thrown(() => parseConfig(text, "tapio.yaml"));
  expect(error).toBeInstanceOf(ConfigFileError);
  return error as ConfigFileError;
}

describe("a configuration file", () => {
  test("that is empty has every default", () => {
    expect(parseConfig("", "tapio.yaml").config.collectors).toEqual(["tcp", "syscall"]);
    expect(parseConfig("# nothing\n", "tapio.yaml").config.collectors).toHaveLength(2);
  });

  test("with a wrong value is refused with file, line and place", () => {
    const { message } = refusal("# one\n\ncollectors:\n  - tcp\n  - nonsense\n");
    expect(message).toMatch(/^tapio\.yaml:5: collectors\[1\]: .*"tcp"\|"syscall"/);
  });

  test("with an unknown setting is refused at its line", () => {
    const { message } = refusal("collectors: [tcp]\n\nfliters: {}\n");
    expect(message).toBe("tapio.yaml:3: fliters: there is no such setting");
  });

  test("shows all its faults, and counts those that the message leaves out", () => {
    const error = refusal("collectors: [a, b]\nfliters: {}\n");
    expect(error.faults.map(({ line }) => line)).toEqual([1, 1, 2]);
    expect(error.message).toMatch(/\(and 2 more\)$/);
  });

  test.each([
    ["that is no YAML", "collectors: [tcp\n"],
    ["whose top is a list", "- tcp\n"],
    ["that says a thing twice", "collectors: [tcp]\ncollectors: [syscall]\n"],
    ["that is a bomb of aliases", bomb()],
  ])("%s is refused in one line", (_, text) => {
    const { message } = refusal(text);
    expect(message).toMatch(/^tapio\.yaml:\d+: /);
    expect(message).not.toContain("\n");
  });
});

function bomb(): string {
  let text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (let i = 1; i < 12; i++) text += `a${i}: &a${i} [${`*a${i - 1},`.repeat(10)}]\n`;
  return text;
}

test("a refusal by a part is located in the file", () => {
  const schema = z.strictObject({ rules: z.array(z.strictObject({ pid: z.number() })) });
  const { locate } = parseYaml("rules:\n- pid: 1\n- pid: 0\n", "rules.yaml", schema);
  const error = new ConfigError(["rules", 1, "pid"], "0 is no process", "give 1 or more");
  expect(locate(error).message).toBe("rules.yaml:3: rules[1].pid: 0 is no process; give 1 or more");
});

test("a refusal of a value that the file leaves out is located at what is there", () => {
  const schema = z.strictObject({ limits: z.object({ rate: z.number().default(0) }) });
  const { locate } = parseYaml("\nlimits: {}\n", "limits.yaml", schema);
  expect(locate(new ConfigError(["limits", "rate"], "is 0")).message).toMatch(/^limits\.yaml:2: /);
});
