/** `tapio-bpf filter`: rules of a run in progress. */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { parseYaml } from "#core/config/parse_config.ts";
import { BpfError } from "#core/errors.ts";
import type { FilterStatistics } from "#core/filters/filter_manager.ts";
import {
  FILTER_TYPES,
  type FilterRuleInput,
  type FilterType,
  filterRuleSchema,
  type NumberedRule,
} from "#core/filters/rule.ts";
import type { Command, CommandInput } from "../command.ts";
import { SOCKET_OPTION, withRun } from "../daemon/with_run.ts";
import { formatTable } from "../table.ts";
import { UsageError } from "../usage_error.ts";

type Options = CommandInput["options"];

/** Field of a rule that the value on the command line goes to. */
const VALUE_FIELD: Readonly<Record<FilterType, string>> = {
  pid: "pid",
  namespace: "namespace",
  network: "cidr",
  cgroup: "cgroup",
  uid: "uid",
  command: "command",
};

const NUMERIC = new Set(["pid", "namespace", "uid", "port", "id"]);

function fieldValue(field: string, text: string): unknown {
  if (!NUMERIC.has(field) || !/^\d+$/.test(text)) return text;
  return Number(text);
}

/** `deny pid=123 --shadow` as a rule; what is wrong with it is said as of the configuration. */
export function ruleOf([action, what = ""]: readonly string[], options: Options): FilterRuleInput {
  const [, type = "", value = ""] = /^([a-z]+)=(.+)$/.exec(what) ?? [];
  if (!FILTER_TYPES.includes(type as FilterType)) {
    throw new UsageError(
      `filter add ${what}: give TYPE=VALUE; types are ${FILTER_TYPES.join(", ")}`,
    );
  }
  const field = VALUE_FIELD[type as FilterType];
  const rule: Record<string, unknown> = { type, action, [field]: fieldValue(field, value) };
  for (const name of ["kind", "port", "protocol", "endpoint", "id", "name"]) {
    const given = options[name];
    if (typeof given === "string") rule[name] = fieldValue(name, given);
  }
  if (options["shadow"] === true) rule["shadow"] = true;
  const checked = filterRuleSchema.safeParse(rule);
  if (checked.success) return rule as unknown as FilterRuleInput;
  const [issue] = checked.error.issues;
  throw new UsageError(`filter add ${what}: ${issue!.path.join(".") || "rule"}: ${issue!.message}`);
}

export const filterAddCommand: Command = {
  words: ["filter", "add"],
  summary: "adds a rule to a run in progress",
  usage:
    "allow|deny pid=N|namespace=N|network=CIDR|cgroup=ID|uid=N|command=NAME [--kind net] [--port N] " +
    "[--protocol tcp] [--endpoint source|destination|either] [--shadow] [--id N] [--name TEXT] " +
    "[--socket PATH] [-o json|table]",
  options: {
    ...SOCKET_OPTION,
    kind: { type: "string" },
    port: { type: "string" },
    protocol: { type: "string" },
    endpoint: { type: "string" },
    id: { type: "string" },
    name: { type: "string" },
    shadow: { type: "boolean" },
  },
  positionals: [2, 2],
  async run({ options, positionals, output }) {
    const rule = ruleOf(positionals, options);
    const answer = (await withRun(options["socket"], (client) =>
      client.call("filter.add", { rules: [rule] }),
    )) as { ids: number[] };
    console.log(output === "json" ? JSON.stringify(answer) : `rule ${answer.ids[0]}`);
    return 0;
  },
};

export const filterRemoveCommand: Command = {
  words: ["filter", "rm"],
  summary: "removes rules of a run in progress by their numbers, as one change",
  usage: "ID... [--socket PATH]",
  options: SOCKET_OPTION,
  positionals: [1, 10_000],
  async run({ options, positionals }) {
    const ids = positionals.map((text) => {
      if (/^[1-9]\d*$/.test(text)) return Number(text);
      throw new UsageError(`filter rm ${text}: give the numbers that filter ls shows`);
    });
    await withRun(options["socket"], (client) => client.call("filter.remove", { ids }));
    return 0;
  },
};

interface Listing {
  readonly rules: readonly NumberedRule[];
  readonly statistics: FilterStatistics;
}

function describe(rule: NumberedRule): string[] {
  const { id, type, action, shadow, name, ...rest } = rule as NumberedRule & { name?: string };
  const details = Object.entries(rest).map(([field, value]) => `${field}=${value}`);
  return [String(id), shadow ? `${action} (shadow)` : action, type, details.join(" "), name ?? ""];
}

function formatListing({ rules, statistics }: Listing): string {
  const table = rules.length === 0 ? "no rules" : formatTable(rules.map(describe), "");
  const counts = FILTER_TYPES.map((type) => {
    const { hits, misses, rules: count } = statistics.types[type];
    return [type, `${count} rules`, `${hits} hits`, `${misses} misses`];
  });
  return `${table}\n\n${formatTable(counts, "")}`;
}

export const filterListCommand: Command = {
  words: ["filter", "ls"],
  summary: "lists the rules of a run in progress, and what they matched by type",
  usage: "[--socket PATH] [-o json|table]",
  options: SOCKET_OPTION,
  positionals: [0, 0],
  async run({ options, output }) {
    const listing = (await withRun(options["socket"], (client) =>
      client.call("filter.list"),
    )) as Listing;
    console.log(output === "json" ? JSON.stringify(listing) : formatListing(listing));
    return 0;
  },
};

function readRules(path: string): FilterRuleInput[] {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new BpfError(`read ${path}`, (cause as Error).message, {
      hint: "give a file with a list of rules",
      cause,
    });
  }
  return parseYaml(text, path, z.array(filterRuleSchema)).value as FilterRuleInput[];
}

export const filterReplaceCommand: Command = {
  words: ["filter", "replace"],
  summary: "puts another rule set in force in a run in progress, as one change",
  usage: "FILE [--socket PATH]",
  options: SOCKET_OPTION,
  positionals: [1, 1],
  async run({ options, positionals }) {
    const rules = readRules(positionals[0]!);
    await withRun(options["socket"], (client) => client.call("filter.replace", { rules }));
    return 0;
  },
};

export const filterClearCommand: Command = {
  words: ["filter", "clear"],
  summary: "removes all rules of a run in progress",
  usage: "[--socket PATH]",
  options: SOCKET_OPTION,
  positionals: [0, 0],
  async run({ options }) {
    await withRun(options["socket"], (client) => client.call("filter.clear"));
    return 0;
  },
};
