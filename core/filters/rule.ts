/**
 * What a filter rule says, as configuration and callers write it.
 *
 * A matching deny rule rejects an event; otherwise each type that has allow rules must be matched by
 * one of them; otherwise the event passes.
 */
import { z } from "zod";

/** Types of rules, in the order in which they are looked at. */
export const FILTER_TYPES = ["pid", "namespace", "network", "cgroup", "uid", "command"] as const;
export type FilterType = (typeof FILTER_TYPES)[number];

export const NAMESPACE_KINDS = ["pid", "net", "mnt", "uts", "ipc", "cgroup", "user"] as const;
export type NamespaceKind = (typeof NAMESPACE_KINDS)[number];

/** Numbers of transport protocols that may be written by name. */
export const PROTOCOLS = {
  icmp: 1,
  tcp: 6,
  udp: 17,
  dccp: 33,
  icmpv6: 58,
  sctp: 132,
  udplite: 136,
} as const;

/** The most a 64-bit kernel lets `kernel.pid_max` be. */
export const PID_MAX = 4_194_304;
export const RULE_ID_MAX = 0xff_ffff;
/** Bytes of a command name without the zero that ends it. */
export const COMMAND_BYTES_MAX = 15;

export const U32_MAX = 0xffff_ffff;
export const PORT_MAX = 65_535;
/** The largest number of a transport protocol. */
export const PROTOCOL_MAX = 255;
const U64_MAX = (1n << 64n) - 1n;
const DECIMAL = /^[0-9]{1,20}$/;

function integer(name: string, least: number, most: number) {
  const message = `${name} must be an integer from ${least} to ${most}`;
  return z.number({ error: message }).int(message).min(least, message).max(most, message);
}

const common = {
  id: integer("id", 1, RULE_ID_MAX)
    .optional()
    .describe("Number in records and counters; default: the next one that is free."),
  name: z.string().min(1).max(128).optional().describe("For people; not looked at."),
  action: z
    .enum(["allow", "deny"])
    .describe("A deny rule that matches rejects; a type with allow rules needs one that matches."),
  shadow: z.boolean().default(false).describe("Count what the rule would reject; reject nothing."),
};

const pidRule = z.strictObject({
  type: z.literal("pid"),
  ...common,
  pid: integer("pid", 1, PID_MAX).describe(
    "Process (thread group) id, as the root namespace says.",
  ),
});

const namespaceRule = z.strictObject({
  type: z.literal("namespace"),
  ...common,
  kind: z.enum(NAMESPACE_KINDS).default("pid"),
  namespace: integer("namespace", 1, U32_MAX).describe(
    "Inode number: `stat -L /proc/PID/ns/KIND`.",
  ),
});

const networkRule = z.strictObject({
  type: z.literal("network"),
  ...common,
  cidr: z
    .string()
    .describe("IPv4 or IPv6 address or network (`10.0.0.0/8`, `2001:db8::/32`, `192.0.2.1`)."),
  port: z
    .union([z.literal("any"), integer("port", 1, PORT_MAX)], {
      error: "port must be an integer from 1 to 65535, or any",
    })
    .default("any")
    .describe("Port of the endpoint whose address is matched."),
  protocol: z
    .union(
      [
        z.literal("any"),
        z.enum(Object.keys(PROTOCOLS) as [keyof typeof PROTOCOLS]),
        integer("protocol", 1, PROTOCOL_MAX),
      ],
      { error: "protocol must be any, a name as tcp or udp, or a number from 1 to 255" },
    )
    .default("any"),
  endpoint: z
    .enum(["source", "destination", "either"])
    .default("either")
    .describe("End of the connection that is matched."),
});

const cgroupRule = z
  .strictObject({
    type: z.literal("cgroup"),
    ...common,
    cgroup: z
      .union([
        integer("cgroup", 1, Number.MAX_SAFE_INTEGER),
        z.string().regex(DECIMAL, "cgroup must be a decimal number"),
      ])
      .optional()
      .describe("Id of the cgroup at the root of the subtree (inode number of its folder)."),
    path: z
      .string()
      .startsWith("/", "path must begin with / (the root of the cgroup2 hierarchy)")
      .optional()
      .describe("Path of that cgroup below the hierarchy's root; resolved by whoever runs."),
  })
  .refine(({ cgroup, path }) => (cgroup === undefined) !== (path === undefined), {
    error: "a cgroup rule has either cgroup (an id) or path",
  })
  .refine(({ cgroup }) => cgroup === undefined || isCgroupId(cgroup), {
    path: ["cgroup"],
    error: "cgroup must be a number from 1 to 2^64 - 1",
  });

const uidRule = z.strictObject({
  type: z.literal("uid"),
  ...common,
  uid: integer("uid", 0, U32_MAX - 1).describe("User id, as the root namespace says."),
});

const commandRule = z.strictObject({
  type: z.literal("command"),
  ...common,
  command: z
    .string()
    .min(1)
    .refine((text) => !text.includes("\0"), "command must not hold a zero byte")
    .refine(
      (text) => new TextEncoder().encode(text).length <= COMMAND_BYTES_MAX,
      `command is longer than the ${COMMAND_BYTES_MAX} bytes that the kernel keeps`,
    )
    .describe("Name of the thread (/proc/PID/task/TID/comm), in full."),
});

/** One rule as configuration writes it; unknown types and fields are refused. */
export const filterRuleSchema = z
  .discriminatedUnion(
    "type",
    [pidRule, namespaceRule, networkRule, cgroupRule, uidRule, commandRule],
    { error: `type must be one of ${FILTER_TYPES.join(", ")}` },
  )
  .describe("A filter rule");

/** A rule with its defaults filled in. */
export type FilterRule = z.output<typeof filterRuleSchema>;
/** A rule as callers may write it. */
export type FilterRuleInput = z.input<typeof filterRuleSchema>;
/** A rule in force: it has a number. */
export type NumberedRule = FilterRule & { readonly id: number };

/** Of what is no number at all something has been said already. */
function isCgroupId(cgroup: number | string): boolean {
  if (typeof cgroup === "number" || !DECIMAL.test(cgroup)) return true;
  const id = BigInt(cgroup);
  return id > 0n && id <= U64_MAX;
}

/** Number of a protocol as a rule names it; 0 for any. */
export function protocolNumber(protocol: "any" | keyof typeof PROTOCOLS | number): number {
  if (protocol === "any") return 0;
  return typeof protocol === "number" ? protocol : PROTOCOLS[protocol];
}
