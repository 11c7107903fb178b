/**
 * What DESIGN §5 says of an event and a list of rules, rule by rule, written from the text and with
 * nothing of what compiles tables: addresses are big integers here, and everything is a loop.
 */
import type { FilterMode } from "#core/filters/filter_manager.ts";
import {
  FILTER_TYPES,
  type FilterType,
  type NamespaceKind,
  type NumberedRule,
} from "#core/filters/rule.ts";

export interface Endpoint {
  readonly address: bigint;
  readonly port: number;
}

export interface DescribedEvent {
  readonly pid: number;
  readonly uid: number;
  readonly namespaces: Readonly<Record<NamespaceKind, number>>;
  /** From the root to the task's own. */
  readonly cgroups: readonly bigint[];
  readonly command: string;
  readonly network:
    | {
        readonly family: 4 | 6;
        readonly protocol: number;
        readonly source: Endpoint;
        readonly destination: Endpoint;
      }
    | undefined;
}

export interface Verdict {
  readonly pass: boolean;
  readonly shadowRejected: boolean;
  /** Rules that may stand in the verdict: any deny rule that matched, else of the first type that did. */
  readonly rules: readonly number[];
  readonly matched: readonly FilterType[];
}

const NAMES: Readonly<Record<string, number>> = {
  icmp: 1,
  tcp: 6,
  udp: 17,
  dccp: 33,
  icmpv6: 58,
  sctp: 132,
  udplite: 136,
};

export function addressValue(text: string): { family: 4 | 6; value: bigint } {
  if (!text.includes(":")) {
    const value = text.split(".").reduce((sum, part) => sum * 256n + BigInt(part), 0n);
    return { family: 4, value };
  }
  const [head = "", tail] = text.split("::");
  const words = (part: string) => (part === "" ? [] : part.split(":"));
  const left = words(head);
  const right = tail === undefined ? [] : words(tail);
  const zeros = new Array<string>(8 - left.length - right.length).fill("0");
  const value = [...left, ...zeros, ...right].reduce(
    (sum, word) => sum * 65536n + BigInt(`0x${word}`),
    0n,
  );
  return { family: 6, value };
}

const MAPPED = 0xffffn << 32n;

function inNetwork(cidr: string, family: 4 | 6, address: bigint): boolean {
  const [text = "", length] = cidr.split("/");
  const network = addressValue(text);
  let bits = network.family === 4 ? 32 : 128;
  let prefix = length === undefined ? bits : Number(length);
  let { value } = network;
  if (network.family === 6 && prefix >= 96 && value >> 32n === MAPPED >> 32n) {
    network.family = 4;
    value -= MAPPED;
    prefix -= 96;
    bits = 32;
  }
  if (network.family !== family) return false;
  const shift = BigInt(bits - prefix);
  return value >> shift === address >> shift;
}

function endpointMatches(
  rule: NumberedRule & { type: "network" },
  family: 4 | 6,
  { address, port }: Endpoint,
): boolean {
  if (rule.port !== "any" && rule.port !== port) return false;
  return inNetwork(rule.cidr, family, address);
}

function networkMatches(
  rule: NumberedRule & { type: "network" },
  { network }: DescribedEvent,
): boolean {
  if (network === undefined) return false;
  let { family, source, destination } = network;
  const plain = (end: Endpoint): Endpoint => ({ ...end, address: end.address - MAPPED });
  const mapped = (end: Endpoint): boolean => end.address >> 32n === MAPPED >> 32n;
  if (family === 6 && mapped(source) && mapped(destination)) {
    family = 4;
    source = plain(source);
    destination = plain(destination);
  }
  const protocol = typeof rule.protocol === "number" ? rule.protocol : NAMES[rule.protocol];
  if (rule.protocol !== "any" && protocol !== network.protocol) return false;
  return (
    (rule.endpoint !== "destination" && endpointMatches(rule, family, source)) ||
    (rule.endpoint !== "source" && endpointMatches(rule, family, destination))
  );
}

export function ruleMatches(rule: NumberedRule, event: DescribedEvent): boolean {
  switch (rule.type) {
    case "pid":
      return rule.pid === event.pid;
    case "uid":
      return rule.uid === event.uid;
    case "namespace":
      return rule.namespace === event.namespaces[rule.kind];
    case "cgroup":
      return event.cgroups.includes(BigInt(rule.cgroup!));
    case "command":
      return rule.command === event.command;
    case "network":
      return networkMatches(rule, event);
  }
}

function passes(rules: readonly NumberedRule[], mode: FilterMode, event: DescribedEvent): boolean {
  const matching = rules.filter((rule) => ruleMatches(rule, event));
  if (matching.some(({ action }) => action === "deny")) return false;
  const allowing = new Set(matching.map(({ type }) => type));
  for (const { type, action } of rules) {
    if (action === "allow" && !allowing.has(type)) return false;
  }
  return mode === "allow" || allowing.size > 0;
}

export function evaluate(
  rules: readonly NumberedRule[],
  types: readonly FilterType[],
  mode: FilterMode,
  event: DescribedEvent,
): Verdict {
  const looked = rules.filter(({ type }) => types.includes(type));
  const live = looked.filter(({ shadow }) => !shadow);
  const pass = passes(live, mode, event);
  const matching = live.filter((rule) => ruleMatches(rule, event));
  const denying = matching.filter(({ action }) => action === "deny");
  const first = FILTER_TYPES.find((type) => matching.some((rule) => rule.type === type));
  const allowing = matching.filter(({ type }) => type === first);
  const all = looked.filter((rule) => ruleMatches(rule, event));
  return {
    pass,
    shadowRejected: pass && !passes(looked, mode, event),
    rules: (denying.length > 0 ? denying : allowing).map(({ id }) => id),
    matched: FILTER_TYPES.filter((type) => all.some((rule) => rule.type === type)),
  };
}
