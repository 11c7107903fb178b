/** Rule sets that meet, contradict and crowd each other, and events near them. */
import fc from "fast-check";
import {
  FILTER_TYPES,
  type FilterRuleInput,
  NAMESPACE_KINDS,
  type NamespaceKind,
} from "#core/filters/rule.ts";
import type { Xoshiro128 } from "#core/random/xoshiro128.ts";
import { addressValue, type DescribedEvent, type Endpoint } from "./evaluator.ts";

const PIDS = [1, 2, 3, 4, 5, 65_536, 4_194_303, 4_194_304];
const UIDS = [0, 1, 2, 33, 1000, 65_534, 0x7fff_ffff, 0xffff_fffe];
const NAMESPACES = [1, 2, 4_026_531_835, 4_026_531_836, 0xffff_ffff];
/** Some alike in their lower half. */
const CGROUPS = ["1", "2", "3", "77", "4294967297", "4294967373", "18446744073709551615"];
const COMMANDS = ["a", "b", "bash", "fifteen-bytes-a", "fifteen-bytes-b", "ä"];
const PORTS = [1, 22, 53, 443, 65_535];
const PROTOCOLS = [1, 6, 17, 255];
const V4 = ["0.0.0.0", "10.0.0.0", "10.0.0.1", "10.1.2.3", "192.0.2.128", "255.255.255.255"];
const V6 = [
  "::",
  "::1",
  "2001:db8::",
  "2001:db8::1",
  "2001:db8:0:1:ffff:ffff:ffff:ffff",
  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
  "::ffff:a00:1",
  "::ffff:c000:280",
];

function textOf(family: 4 | 6, value: bigint): string {
  const groups = family === 4 ? 4 : 8;
  const bits = family === 4 ? 8n : 16n;
  const parts = Array.from({ length: groups }, (_, i) => {
    const part = (value >> (bits * BigInt(groups - 1 - i))) & ((1n << bits) - 1n);
    return part.toString(family === 4 ? 10 : 16);
  });
  return parts.join(family === 4 ? "." : ":");
}

/** The network of that length around an address. */
export function networkText(address: string, prefix: number): string {
  const { family, value } = addressValue(address);
  const shift = BigInt((family === 4 ? 32 : 128) - prefix);
  return `${textOf(family, (value >> shift) << shift)}/${prefix}`;
}

/** Lengths at which addresses of the pool part, and the ends. */
const prefix4 = fc.oneof(fc.constantFrom(0, 8, 24, 31, 32), fc.nat(32));
const prefix6 = fc.oneof(fc.constantFrom(0, 32, 64, 96, 127, 128), fc.nat(128));

const cidr = fc.oneof(
  fc
    .tuple(fc.constantFrom(...V4), prefix4)
    .map(([address, prefix]) => networkText(address, prefix)),
  fc
    .tuple(fc.constantFrom(...V6), prefix6)
    .map(([address, prefix]) => networkText(address, prefix)),
);

const common = {
  action: fc.constantFrom("allow" as const, "deny" as const),
  shadow: fc.boolean().map((shadow) => shadow),
};

const ruleOf = {
  pid: fc.record({ type: fc.constant("pid" as const), ...common, pid: fc.constantFrom(...PIDS) }),
  uid: fc.record({ type: fc.constant("uid" as const), ...common, uid: fc.constantFrom(...UIDS) }),
  namespace: fc.record({
    type: fc.constant("namespace" as const),
    ...common,
    kind: fc.constantFrom(...NAMESPACE_KINDS),
    namespace: fc.constantFrom(...NAMESPACES),
  }),
  cgroup: fc.record({
    type: fc.constant("cgroup" as const),
    ...common,
    cgroup: fc.constantFrom(...CGROUPS),
  }),
  command: fc.record({
    type: fc.constant("command" as const),
    ...common,
    command: fc.constantFrom(...COMMANDS),
  }),
  network: fc.record({
    type: fc.constant("network" as const),
    ...common,
    cidr,
    port: fc.oneof(fc.constant("any" as const), fc.constantFrom(...PORTS)),
    protocol: fc.oneof(fc.constant("any" as const), fc.constantFrom(...PROTOCOLS)),
    endpoint: fc.constantFrom("source" as const, "destination" as const, "either" as const),
  }),
};

/** Rules of a few types, denying or allowing mostly, so that not everything is rejected. */
export const rules: fc.Arbitrary<FilterRuleInput[]> = fc
  .subarray([...FILTER_TYPES], { minLength: 1 })
  .chain((types) =>
    fc.array(fc.oneof(...types.map((type) => ruleOf[type] as fc.Arbitrary<FilterRuleInput>)), {
      maxLength: 40,
    }),
  );

const pick = <Value>(random: Xoshiro128, values: readonly Value[]): Value =>
  values[random.below(values.length)]!;

function endpoint(random: Xoshiro128, family: 4 | 6, mapped: boolean): Endpoint {
  const pool = family === 4 ? V4 : mapped ? V6.slice(6) : V6;
  let { value } = addressValue(pick(random, pool));
  // One bit off: inside or outside by a hair.
  if (random.below(3) === 0 && !mapped)
    value ^= 1n << BigInt(random.below(family === 4 ? 32 : 128));
  return { address: value, port: pick(random, [...PORTS, 0, random.below(65_536)]) };
}

/** An event whose every part is likely to be one that rules name. */
export function describedEvent(random: Xoshiro128): DescribedEvent {
  const family = random.below(2) === 0 ? 4 : 6;
  const mapped = random.below(4) === 0;
  const namespaces = Object.fromEntries(
    NAMESPACE_KINDS.map((kind) => [kind, pick(random, [0, ...NAMESPACES])]),
  ) as Record<NamespaceKind, number>;
  return {
    pid: pick(random, PIDS),
    uid: pick(random, UIDS),
    namespaces,
    cgroups: Array.from({ length: random.below(17) }, () => BigInt(pick(random, CGROUPS))),
    command: pick(random, [...COMMANDS, "", "unknown"]),
    network:
      random.below(6) === 0
        ? undefined
        : {
            family,
            protocol: pick(random, [0, ...PROTOCOLS]),
            source: endpoint(random, family, mapped),
            destination: endpoint(random, family, mapped),
          },
  };
}
