/** Rules about things that have names rather than numbers; whoever runs resolves them, again and again. */
import { z } from "zod";
import type { FilterRuleInput } from "./rule.ts";

export const NAMED_RULES_MAX = 256;

const common = {
  action: z.enum(["allow", "deny"]).describe("As of other rules."),
  shadow: z.boolean().default(false).describe("Count what the rule would reject; reject nothing."),
};

export const namedRuleSchema = z
  .union(
    [
      z.strictObject({
        ...common,
        cgroup_path: z
          .string()
          .startsWith("/", "cgroup_path must begin with / (the hierarchy's root)")
          .describe("Path of a cgroup below the root of the cgroup2 hierarchy."),
      }),
      z.strictObject({
        ...common,
        container: z
          .string()
          .regex(/^[0-9a-f]{12,64}$/, "container must be 12 to 64 lower-case hexadecimal digits")
          .describe("Id of a container, or its first twelve digits or more."),
      }),
      z.strictObject({
        ...common,
        pod: z
          .string()
          .regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, "pod must be the UID of a pod")
          .describe("UID of a Kubernetes pod."),
      }),
      z.strictObject({
        ...common,
        executable: z
          .string()
          .startsWith("/", "executable must be an absolute path")
          .describe("Path of a program, as its processes show it in /proc."),
      }),
    ],
    { error: "a named rule has one of cgroup_path, container, pod and executable" },
  )
  .describe("A filter rule about something that has a name");

export const namedRulesSchema = z
  .array(namedRuleSchema)
  .max(NAMED_RULES_MAX)
  .default([])
  .describe(
    "Filter rules about cgroups by path, containers, pods and programs; followed while they come and go.",
  );

export type NamedRule = z.output<typeof namedRuleSchema>;

/** What a name stands for at the moment. */
export interface Resolution {
  readonly cgroups: readonly string[];
  readonly pids: readonly number[];
}

/** No cgroup has this id. */
const NO_CGROUP = "18446744073709551615";

/**
 * The rules that a named one stands for. An allow rule about something that is not there allows nothing; left
 * out it would allow everything. `noPid` is a PID that no process has.
 */
export function expandNamedRule(
  rule: NamedRule,
  { cgroups, pids }: Resolution,
  noPid: number,
): FilterRuleInput[] {
  const { action, shadow } = rule;
  if ("executable" in rule) {
    const found = pids.length === 0 && action === "allow" ? [noPid] : pids;
    return found.map((pid) => ({ type: "pid", pid, action, shadow }));
  }
  const found = cgroups.length === 0 && action === "allow" ? [NO_CGROUP] : cgroups;
  return found.map((cgroup) => ({ type: "cgroup", cgroup, action, shadow }));
}
