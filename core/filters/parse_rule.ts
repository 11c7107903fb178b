/**
 * Rules as callers write them, checked and with their defaults filled in. Rule sets have thousands, nearly all of them
 * plain; what is not plain, and whatever is wrong, is left to the schema, whose words errors have.
 */
import { ConfigError } from "../config/config_error.ts";
import {
  COMMAND_BYTES_MAX,
  type FilterRule,
  filterRuleSchema,
  NAMESPACE_KINDS,
  PID_MAX,
  PORT_MAX,
  PROTOCOL_MAX,
  PROTOCOLS,
  RULE_ID_MAX,
  U32_MAX,
} from "./rule.ts";

/** Throws `ConfigError`, its path within the rule. */
export function parseRule(input: unknown): FilterRule {
  const plain = plainRule(input);
  if (plain !== undefined) return plain;
  const result = filterRuleSchema.safeParse(input);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  const path = issue.path.filter((step) => typeof step !== "symbol");
  throw new ConfigError(path, issue.message);
}

type Fields = Record<string, unknown>;

/** What the schema makes of `input`, or undefined where only the schema can tell. */
export function plainRule(input: unknown): FilterRule | undefined {
  if (typeof input !== "object" || input === null) return undefined;
  if (Object.getPrototypeOf(input) !== Object.prototype) return undefined;
  const given = input as Fields;
  const { type, id, action, shadow } = given;
  if (action !== "allow" && action !== "deny") return undefined;
  const rule: Fields = { type };
  if (id !== undefined) {
    if (!isInteger(id, 1, RULE_ID_MAX)) return undefined;
    rule["id"] = id;
  }
  rule["action"] = action;
  if (shadow !== undefined && typeof shadow !== "boolean") return undefined;
  rule["shadow"] = shadow ?? false;
  if (!takeFields(given, rule)) return undefined;
  // A field more is none of a plain rule; one that is there without a value is not either.
  let known = 0;
  for (const name in rule) if (given[name] !== undefined) known++;
  return Object.keys(given).length === known ? (rule as FilterRule) : undefined;
}

function takeFields(given: Fields, rule: Fields): boolean {
  switch (given["type"]) {
    case "pid":
      return take(rule, "pid", given["pid"], isInteger(given["pid"], 1, PID_MAX));
    case "uid":
      return take(rule, "uid", given["uid"], isInteger(given["uid"], 0, U32_MAX - 1));
    case "namespace":
      return takeNamespace(given, rule);
    case "cgroup": {
      const { cgroup } = given;
      return take(rule, "cgroup", cgroup, isInteger(cgroup, 1, Number.MAX_SAFE_INTEGER));
    }
    case "command":
      return take(rule, "command", given["command"], isPlainCommand(given["command"]));
    case "network":
      return takeNetwork(given, rule);
    default:
      return false;
  }
}

function take(rule: Fields, name: string, value: unknown, fits: boolean): boolean {
  rule[name] = value;
  return fits;
}

function takeNamespace({ kind = "pid", namespace }: Fields, rule: Fields): boolean {
  const fits = (NAMESPACE_KINDS as readonly unknown[]).includes(kind);
  rule["kind"] = kind;
  return take(rule, "namespace", namespace, fits && isInteger(namespace, 1, U32_MAX));
}

function takeNetwork(given: Fields, rule: Fields): boolean {
  const { cidr, port = "any", protocol = "any", endpoint = "either" } = given;
  rule["cidr"] = cidr;
  rule["port"] = port;
  rule["protocol"] = protocol;
  rule["endpoint"] = endpoint;
  return (
    typeof cidr === "string" &&
    (port === "any" || isInteger(port, 1, PORT_MAX)) &&
    isProtocol(protocol) &&
    (endpoint === "source" || endpoint === "destination" || endpoint === "either")
  );
}

function isProtocol(protocol: unknown): boolean {
  if (typeof protocol === "string") {
    return protocol === "any" || Object.hasOwn(PROTOCOLS, protocol);
  }
  return isInteger(protocol, 1, PROTOCOL_MAX);
}

function isInteger(value: unknown, least: number, most: number): boolean {
  return Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
}

/** Of ASCII characters, each a byte. */
function isPlainCommand(text: unknown): boolean {
  if (typeof text !== "string" || text.length === 0 || text.length > COMMAND_BYTES_MAX)
    return false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0 || code > 127) return false;
  }
  return true;
}
