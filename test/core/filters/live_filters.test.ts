/** What callers may rely on: numbers, refusals that change nothing, one flip for each change. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { ConfigError } from "#core/config/config_error.ts";
import type { FilterManager } from "#core/filters/filter_manager.ts";
import type { FilterRuleInput } from "#core/filters/rule.ts";
import { Judge } from "#property-tests/filters/judge.ts";
import { capacities } from "#property-tests/filters/pairs.ts";
import { createWasmBackend, type WasmBackend } from "#wasm/backend.ts";
import { loadRuntimeModule } from "#wasm/load_runtime.ts";

const CAPACITY = 8;
let backend: WasmBackend;
let judge: Judge;
let filters: FilterManager;

beforeAll(async () => {
  backend = await createWasmBackend({
    runtime: await loadRuntimeModule(),
    kernelTypes: readFileSync("build/wasm/kernel_types.bpf.o"),
  });
  judge = new Judge(backend, capacities(CAPACITY), 1);
  filters = judge.filters;
});
afterAll(() => backend.close());
beforeEach(() =>
  judge.filters.configure([], "allow", ["pid", "namespace", "network", "cgroup", "uid", "command"]),
);

const event = {
  pid: 7,
  uid: 1000,
  namespaces: { pid: 1, net: 2, mnt: 3, uts: 4, ipc: 5, cgroup: 6, user: 7 },
  cgroups: [1n, 20n, 300n],
  command: "nginx",
  network: {
    family: 4 as const,
    protocol: 6,
    source: { address: 0x0a000001n, port: 40000 },
    destination: { address: 0xc0000201n, port: 443 },
  },
};
const passes = (): boolean => judge.judge([event])[0]!.pass;

describe("the report's calls", () => {
  test("a process is left out, and is back when the rule is", async () => {
    await filters.addPidFilter(7, false);
    expect(passes()).toBe(false);
    expect(await filters.removePidFilter(7)).toBe(true);
    expect(await filters.removePidFilter(7)).toBe(false);
    expect(passes()).toBe(true);
  });

  test("allow a process and deny a namespace at once", async () => {
    await filters.addPidFilter(7, true);
    expect(passes()).toBe(true);
    await filters.addNamespaceFilter(2, false, "net");
    expect(passes()).toBe(false);
    await filters.disableFilterType("namespace");
    expect(passes()).toBe(true);
    await filters.enableFilterType("namespace");
    expect(passes()).toBe(false);
  });

  test("ports and protocols of 0 are any", async () => {
    await filters.addNetworkFilter("192.0.2.0/24", 0, 0, true);
    expect(passes()).toBe(true);
    expect(await filters.removeNetworkFilter("192.0.2.0/24", 0, 0)).toBe(true);
    await filters.addNetworkFilter("192.0.2.0/24", 80, 6, true);
    expect(passes()).toBe(false);
  });

  test("the same rule twice is one rule", async () => {
    const id = await filters.addPidFilter(7, false);
    expect(await filters.addPidFilter(7, false)).toBe(id);
    expect(filters.getStatistics().types.pid.rules).toBe(1);
    await filters.clearAll();
    expect(filters.getStatistics().types.pid.rules).toBe(0);
  });

  test("the mode decides over what no rule matches", async () => {
    await filters.setFilterMode("deny");
    expect(passes()).toBe(false);
    await filters.addRule({ type: "command", command: "nginx", action: "allow" });
    expect(passes()).toBe(true);
  });

  test("what no other capability took says so", () => {
    expect(() => filters.setSamplingRate(50)).toThrow("this run has no sampling");
  });
});

describe("counters", () => {
  test("hits, misses and single rules", async () => {
    const before = filters.getStatistics();
    const id = await filters.addRule({ type: "cgroup", cgroup: 20, action: "allow" });
    await filters.addRule({ type: "uid", uid: 3, action: "deny" });
    await filters.countRule(id, true);
    judge.judge([event, event, { ...event, cgroups: [1n] }]);
    const after = filters.getStatistics();
    expect(after.types.cgroup.hits - before.types.cgroup.hits).toBe(2);
    expect(after.types.cgroup.misses - before.types.cgroup.misses).toBe(1);
    expect(after.types.uid.misses - before.types.uid.misses).toBe(3);
    expect(filters.ruleHits(id)).toBe(2);
    await filters.countRule(id, false);
    expect(filters.ruleHits(id)).toBeUndefined();
  });

  test("shadow rules count what they would reject", async () => {
    const { shadowRejected } = filters.getStatistics();
    await filters.addRule({ type: "pid", pid: 7, action: "deny", shadow: true });
    expect(judge.judge([event])[0]).toMatchObject({ pass: true, shadowRejected: true });
    expect(filters.getStatistics().shadowRejected - shadowRejected).toBe(1);
  });
});

describe("refusals", () => {
  const pids = Array.from({ length: CAPACITY + 1 }, (_, i) => i + 1);
  const many: FilterRuleInput[] = pids.map((pid) => ({ type: "pid", pid, action: "deny" }));
  const network = (rest: object): FilterRuleInput[] => [
    { type: "network", cidr: "10.0.0.0/8", action: "deny", ...rest } as FilterRuleInput,
  ];
  const cases: [string, readonly unknown[], string][] = [
    ["a port above 65535", network({ port: 70_000 }), "rules[0].port: port must be an integer"],
    ["a bad CIDR", network({ cidr: "10.0.0.0/33" }), "longer than 32 bits"],
    ["bits beyond the prefix", network({ cidr: "10.0.0.1/8" }), "beyond its prefix of 8"],
    ["an address that is none", network({ cidr: "10.0.0" }), "is no IPv4 address"],
    ["pid 0", [{ type: "pid", pid: 0, action: "deny" }], "pid must be an integer from 1"],
    ["a pid above pid_max", [{ type: "pid", pid: 4_194_305, action: "deny" }], "pid must be"],
    ["an unknown type", [{ type: "gid", gid: 1, action: "deny" }], "type must be one of pid"],
    [
      "the opposite of another rule",
      [
        { type: "pid", pid: 1, action: "deny" },
        { type: "pid", pid: 1, action: "allow" },
      ],
      "rules[1].action: contradicts rule 1",
    ],
    ["one more than fits", many, `rules[${CAPACITY}].type: ${CAPACITY} pid rules fit`],
    ["a cgroup without an id", [{ type: "cgroup", path: "/a", action: "deny" }], "not resolved"],
    ["a long command", [{ type: "command", command: "0123456789abcdef", action: "deny" }], "15"],
  ];

  test.each(cases)("%s", async (_name, rules, reason) => {
    await filters.addPidFilter(7, false);
    const { generation, updates } = filters.getStatistics();
    const call = filters.replaceAll(rules as FilterRuleInput[]);
    await expect(call).rejects.toThrow(ConfigError);
    await expect(call).rejects.toThrow(reason);
    await expect(
      filters.change({ remove: [filters.list()[0]!.id], add: rules as FilterRuleInput[] }),
    ).rejects.toThrow(ConfigError);
    expect(filters.getStatistics()).toMatchObject({ generation, updates });
    expect(filters.list()).toHaveLength(1);
    expect(passes()).toBe(false);
    await filters.clearAll();
    expect(passes()).toBe(true);
  });

  test("more forms of networks than fit", async () => {
    const large = new Judge(backend, capacities(100), 1);
    const rules = Array.from({ length: 65 }, (_, i) => ({
      type: "network" as const,
      cidr: `::/${i}`,
      action: "deny" as const,
    }));
    await large.filters.replaceAll(rules.slice(1));
    await expect(large.filters.replaceAll(rules)).rejects.toThrow("64 forms of network6 rules fit");
    expect(large.filters.list()).toHaveLength(64);
    large.close();
  });
});

describe("changes", () => {
  test("every change is one generation, which events carry", async () => {
    const { generation } = filters.getStatistics();
    await filters.addPidFilter(1, false);
    await filters.replaceAll([{ type: "uid", uid: 0, action: "deny" }]);
    await filters.change({ remove: [1], add: [{ type: "uid", uid: 1, action: "deny" }] });
    expect(judge.judge([event])[0]!.generation).toBe(generation + 3);
  });

  test("wait while a program is judging", async () => {
    const layout = judge.object.maps.get(".data.filters")!.memory();
    const judging = new Uint32Array(layout.buffer, layout.byteOffset, 2);
    judging[1] = 1;
    await expect(filters.addPidFilter(7, false)).rejects.toThrow("has not ended its judgement");
    expect(passes()).toBe(true);
    judging[1] = 0;
    await filters.addPidFilter(7, false);
    expect(passes()).toBe(false);
  });
});
