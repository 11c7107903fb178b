/** Plain rules are what the schema makes of them; nothing else is taken for plain. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { ConfigError } from "#core/config/config_error.ts";
import { parseRule, plainRule } from "#core/filters/parse_rule.ts";
import { FILTER_TYPES, filterRuleSchema, NAMESPACE_KINDS } from "#core/filters/rule.ts";

const edges = [-1, 0, 1, 255, 256, 65_535, 65_536, 4_194_304, 4_194_305, 0xff_ffff, 0x100_0000];
const number = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 200 }) },
  fc.constantFrom(...edges, 2 ** 32 - 2, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1, 2 ** 53, 1.5, -0),
  fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY),
  fc.nat(),
);
const odd = fc.constantFrom(undefined, null, true, "", "7", [], {}, 5n, "toString");
const or = <T>(usual: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 20, arbitrary: usual }, { weight: 1, arbitrary: odd });
const text = fc.oneof(
  fc.constantFrom(
    "sh",
    "a".repeat(15),
    "a".repeat(16),
    "ü".repeat(7),
    "ü".repeat(8),
    "a\0b",
    "any",
  ),
  fc.string({ maxLength: 17 }),
);

/** One of a type's fields, and some that belong to others or to none. */
const fields: Record<string, fc.Arbitrary<unknown>> = {
  id: or(number),
  name: or(text),
  action: or(fc.constantFrom("allow", "deny", "drop")),
  shadow: or(fc.boolean()),
  pid: or(number),
  uid: or(number),
  kind: or(fc.constantFrom(...NAMESPACE_KINDS, "time")),
  namespace: or(number),
  cidr: or(fc.constantFrom("10.0.0.0/8", "2001:db8::1", "nonsense")),
  port: or(fc.oneof(number, fc.constant("any"))),
  protocol: or(fc.oneof(number, fc.constantFrom("any", "tcp", "udp", "toString", "ospf"))),
  endpoint: or(fc.constantFrom("source", "destination", "either", "both")),
  cgroup: or(fc.oneof(number, fc.constantFrom("12", "18446744073709551616"))),
  path: or(fc.constantFrom("/a", "a")),
  command: or(text),
  extra: odd,
};
const OWN: Record<string, readonly string[]> = {
  pid: ["pid"],
  uid: ["uid"],
  namespace: ["namespace", "kind"],
  network: ["cidr", "port", "protocol", "endpoint"],
  cgroup: ["cgroup"],
  command: ["command"],
};

const rule = fc.constantFrom(...FILTER_TYPES, "mac").chain((type) => {
  const own = ["action", ...(OWN[type] ?? [])];
  const usual = fc.subarray([...own, "id", "shadow"], { minLength: own.length - 1 });
  const others = fc.oneof(
    { weight: 6, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.subarray(Object.keys(fields), { maxLength: 2 }) },
  );
  return fc
    .tuple(usual, others)
    .chain(([some, more]) =>
      fc.record(Object.fromEntries([...some, ...more].map((name) => [name, fields[name]!]))),
    )
    .map((given) => ({ ...given, type }));
});

it("a plain rule is what the schema says", () => {
  let plain = 0;
  let refused = 0;
  fc.assert(
    fc.property(rule, (input) => {
      const taken = plainRule(input);
      const expected = filterRuleSchema.safeParse(input);
      if (!expected.success) refused++;
      if (taken === undefined) return;
      plain++;
      expect(expected.success && Object.entries(expected.data)).toEqual(Object.entries(taken));
    }),
    { numRuns: 5000 },
  );
  // Neither is a rarity, or nothing was looked at.
  expect(plain).toBeGreaterThan(200);
  expect(refused).toBeGreaterThan(200);
});

it("errors are the schema's, in its words", () => {
  fc.assert(
    fc.property(rule, (input) => {
      const expected = filterRuleSchema.safeParse(input);
      if (expected.success) {
        expect(parseRule(input)).toEqual(expected.data);
        return;
      }
      const { path, message } = expected.error.issues[0]!;
      expect(() => parseRule(input)).toThrow(new ConfigError(path as string[], message).message);
    }),
    { numRuns: 2000 },
  );
});

it.each(["all", "-1", "", 1.5, 0, "18446744073709551616"])(
  "cgroup %j is refused in words",
  (cgroup) => {
    const rule = { type: "cgroup", action: "deny", cgroup };
    expect(() => parseRule(rule)).toThrow(/^cgroup: /);
  },
);

it.each([null, 7, "pid", [], new Date()])("%j is no rule", (input) => {
  expect(plainRule(input)).toBeUndefined();
  expect(() => parseRule(input)).toThrow(ConfigError);
});
