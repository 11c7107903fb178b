/** A rule as the kernel's tables hold it. */
import { ConfigError } from "../config/config_error.ts";
import { AddressError, type Network, parseNetwork, wordAt } from "./address.ts";
import type { CapacityName } from "./filter_config.ts";
import { REGIONS } from "./filter_geometry.ts";
import {
  FILTER_TYPES,
  type FilterType,
  NAMESPACE_KINDS,
  type NumberedRule,
  protocolNumber,
} from "./rule.ts";

/** `enum filter_kind`; a test compares it with the object's. */
export const KIND = {
  PID: 1,
  UID: 2,
  NAMESPACE: 3,
  COMMAND: 10,
  CGROUP: 16,
  SHADOW: 32,
} as const;

/** Upper halves of cgroup ids that a rule set may have; the kernel numbers them from 0 up. */
export const CGROUP_HIGHS_MAX = 8;
/** Forms of network rules that a rule set may have, of each family. */
export const SHAPES_MAX = 64;

const DENY = 0x8000_0000;
const COUNTED = 0x4000_0000;

/** Bits of `enum filter_type`. */
export const TYPE_BIT = Object.fromEntries(
  FILTER_TYPES.map((type, i) => [type, 1 << i]),
) as Readonly<Record<FilterType, number>>;

export interface CompiledRule {
  readonly rule: NumberedRule;
  readonly type: FilterType;
  readonly region: CapacityName;
  readonly shadow: boolean;
  readonly allow: boolean;
  /** Two rules with one identity match exactly the same events and differ in the action at most. */
  readonly identity: number | string;
  /** Kind of a number, without SHADOW; 0 for networks, and for cgroups, whose kind a rule set gives. */
  readonly kind: number;
  /** Number: itself. Cgroup: lower half, upper half. Network: address, port | protocol << 16. Command: 4. */
  readonly words: readonly number[];
  /** Form of a network rule: prefix, port?, protocol?, ends, shadow?. */
  readonly shape: Shape | undefined;
}

export interface Shape {
  readonly prefix: number;
  readonly port: boolean;
  readonly protocol: boolean;
  /** Bit 0: source, bit 1: destination. */
  readonly sides: number;
  readonly shadow: boolean;
  /** One number that says all of the above; larger ones are looked at first. */
  readonly code: number;
}

/** The value of a rule's slot, without the kind. */
export function slotValue(compiled: CompiledRule, counted: boolean): number {
  return ((compiled.allow ? 0 : DENY) | (counted ? COUNTED : 0) | compiled.rule.id) >>> 0;
}

/** Throws `ConfigError`, its path within the rule. */
export function compileRule(rule: NumberedRule): CompiledRule {
  switch (rule.type) {
    case "pid":
      return scalar(rule, "pid", KIND.PID, rule.pid);
    case "uid":
      return scalar(rule, "uid", KIND.UID, rule.uid);
    case "namespace":
      return scalar(
        rule,
        "namespace",
        KIND.NAMESPACE + NAMESPACE_KINDS.indexOf(rule.kind),
        rule.namespace,
      );
    case "cgroup":
      return compileCgroup(rule);
    case "command":
      return compileCommand(rule);
    case "network":
      return compileNetwork(rule);
  }
}

/** Numbers where one holds it all, short strings elsewhere: rule sets have thousands. */
function identityOf(
  shadow: boolean,
  region: CapacityName,
  kind: number,
  words: readonly number[],
  shape: Shape | undefined,
): number | string {
  if (words.length === 1) return (kind * 2 + (shadow ? 1 : 0)) * 2 ** 32 + words[0]!;
  const [a = 0, b = 0, c = 0, d = 0, e = 0] = words;
  const form = shape === undefined ? kind * 2 + (shadow ? 1 : 0) : shape.code;
  const place = REGIONS.indexOf(region);
  const head = String.fromCharCode(place, form, a >>> 16, a & 0xffff, b >>> 16, b & 0xffff);
  if (words.length === 2) return head;
  const tail = [c >>> 16, c & 0xffff, d >>> 16, d & 0xffff, e >>> 16, e & 0xffff] as const;
  return head + String.fromCharCode(...tail);
}

function make(
  rule: NumberedRule,
  region: CapacityName,
  kind: number,
  words: readonly number[],
  shape?: Shape,
): CompiledRule {
  return {
    rule,
    type: rule.type,
    region,
    shadow: rule.shadow,
    allow: rule.action === "allow",
    identity: identityOf(rule.shadow, region, kind, words, shape),
    kind,
    words,
    shape,
  };
}

function scalar(
  rule: NumberedRule,
  region: CapacityName,
  kind: number,
  number: number,
): CompiledRule {
  return make(rule, region, kind, [number]);
}

function compileCgroup(rule: NumberedRule & { type: "cgroup" }): CompiledRule {
  const { cgroup } = rule;
  if (cgroup === undefined) {
    throw new ConfigError(["path"], `cgroup ${rule.path} was not resolved to an id`, "give its id");
  }
  if (typeof cgroup === "number") {
    return make(rule, "cgroup", 0, [cgroup >>> 0, Math.floor(cgroup / 2 ** 32)]);
  }
  const id = BigInt(cgroup);
  return make(rule, "cgroup", 0, [Number(id & 0xffff_ffffn), Number(id >> 32n)]);
}

const encoder = new TextEncoder();

/** The bytes of a name in 16, zeros after them; ASCII without the encoder, since rule sets have thousands. */
function commandBytes(command: string): Uint8Array {
  const bytes = new Uint8Array(16);
  for (let i = 0; i < command.length; i++) {
    const code = command.charCodeAt(i);
    if (code > 127) {
      encoder.encodeInto(command, bytes);
      break;
    }
    bytes[i] = code;
  }
  return bytes;
}

function compileCommand(rule: NumberedRule & { type: "command" }): CompiledRule {
  const bytes = commandBytes(rule.command);
  const words = [0, 4, 8, 12].map((at) => wordAt(bytes, at));
  return make(rule, "command", KIND.COMMAND, words);
}

const SIDES = { source: 1, destination: 2, either: 3 } as const;

function networkOf(cidr: string): Network {
  try {
    return parseNetwork(cidr);
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
    throw new ConfigError(["cidr"], `${JSON.stringify(cidr)} ${error.message}`);
  }
}

function compileNetwork(rule: NumberedRule & { type: "network" }): CompiledRule {
  const { family, bytes, prefix } = networkOf(rule.cidr);
  const port = rule.port === "any" ? 0 : rule.port;
  const protocol = protocolNumber(rule.protocol);
  const sides = SIDES[rule.endpoint];
  const rest = port | (protocol << 16);
  const words = family === 4 ? [] : [wordAt(bytes, 0), wordAt(bytes, 4), wordAt(bytes, 8)];
  words.push(wordAt(bytes, bytes.length - 4), rest);
  const flags = (port ? 1 : 0) * 2 + (protocol ? 1 : 0);
  const shape: Shape = {
    prefix,
    port: port !== 0,
    protocol: protocol !== 0,
    sides,
    shadow: rule.shadow,
    // Longest prefix first, then those with a port, with a protocol, of one end.
    code: ((prefix * 4 + flags) * 4 + (3 - sides)) * 2 + (rule.shadow ? 0 : 1),
  };
  return make(rule, family === 4 ? "network4" : "network6", 0, words, shape);
}
