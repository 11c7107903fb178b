/**
 * What a verdict costs, by type and number of rules, and what the rules themselves cost: memory as the
 * kernel reports it, time and system calls to replace them; hash and LPM maps beside them.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { BpfError } from "#core/errors.ts";
import type { CapacityName } from "#core/filters/filter_config.ts";
import { createKernelBackend, type KernelBackend } from "#kernel/backend.ts";
import { type Bench, machine, median } from "./bench.ts";
import { BENCH_TYPES, BenchSubject, benchRules, type How, ROUNDS } from "./filters_subject.ts";
import { requireKernel } from "./require_kernel.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const COUNTS = [10, 1_000, 10_000, 100_000] as const;
const REPORTED = ["pid", "namespace", "network4", "network6", "cgroup", "uid"] as const;
const REPLACED = 10_000;

function build(flags: readonly string[], name: string): Uint8Array {
  mkdirSync(join(ROOT, "build/bench"), { recursive: true });
  const output = join(ROOT, "build/bench", name);
  const all = ["-target", "bpfel", "-mcpu=v3", "-g", "-O2", ...flags];
  const clang = spawnSync("clang", [...all, "-c", "bench/filters.bpf.c", "-o", output], {
    cwd: ROOT,
    encoding: "utf8",
  });
  if (clang.status === 0) return readFileSync(output);
  const reason = clang.error?.message ?? clang.stderr.trim().split("\n")[0]!;
  throw new BpfError("bench filters", `clang failed: ${reason}`, { hint: "install clang" });
}

const rounded = (value: number): number => Math.round(value * 100) / 100;

/** Median nanoseconds of one turn, the subjects in turns, so that noise meets all alike. */
function measure(
  subjects: readonly (readonly [BenchSubject, How])[],
  rounds: number,
): { ns: number; found: number }[] {
  const times = subjects.map((): number[] => []);
  const found = subjects.map(() => 0);
  for (let round = -2; round < rounds; round++) {
    subjects.forEach(([subject, how], i) => {
      const result = subject.run(how);
      found[i] = result.found;
      if (round >= 0) times[i]!.push(result.ns);
    });
  }
  return times.map((values, i) => ({ ns: median(values), found: found[i]! }));
}

async function measureType(
  backend: KernelBackend,
  bytes: Uint8Array,
  type: CapacityName,
  rounds: number,
): Promise<Record<string, unknown>> {
  const subjects: BenchSubject[] = [];
  try {
    for (const count of COUNTS) {
      const subject = new BenchSubject(backend, bytes, [type], count);
      subjects.push(subject);
      await subject.filters.replaceAll(benchRules(type, count));
    }
    const timed = subjects.map((subject) => [subject, "filter"] as const);
    const [loop, ...verdicts] = measure([[subjects[0]!, "loop"], ...timed], rounds);
    const net = verdicts.map(({ ns }) => ns - loop!.ns);
    for (const { found } of verdicts) {
      if (Math.abs(found - 0.5) > 0.1) throw new Error(`${type}: ${found} of the keys were found`);
    }
    const replaced = subjects[COUNTS.indexOf(REPLACED)]!;
    return {
      ratio_100000_to_10: rounded(net.at(-1)! / net[0]!),
      memory_bytes_10000: replaced.memoryBytes(type),
      ns_per_verdict: rounded(net[COUNTS.indexOf(REPLACED)]!),
      ns_by_rules: Object.fromEntries(COUNTS.map((count, i) => [count, rounded(net[i]!)])),
      loop_ns: rounded(loop!.ns),
      replace_10000: await measureReplacing(replaced, type, Math.min(rounds, 20)),
    };
  } finally {
    for (const subject of subjects) subject.close();
  }
}

/** Every second rule set lacks the first rule, so each really is another one. */
async function measureReplacing(
  subject: BenchSubject,
  type: CapacityName,
  rounds: number,
): Promise<Record<string, number>> {
  const rules = benchRules(type, REPLACED);
  const sets = [rules, rules.slice(1)];
  const memory = subject.map("bench_calls").memory();
  const counts = new BigUint64Array(memory.buffer, memory.byteOffset, 2);
  counts[0] = BigInt(process.pid);
  const link = subject.object.programs.get("count_calls")!.attach();
  const times_ms: number[] = [];
  const calls: number[] = [];
  try {
    for (let round = 0; round < rounds + 5; round++) {
      counts[1] = 0n;
      const started_ms = performance.now();
      await subject.filters.replaceAll(sets[round % 2]!);
      const elapsed_ms = performance.now() - started_ms;
      if (round < 5) continue;
      times_ms.push(elapsed_ms);
      calls.push(Number(counts[1]));
    }
  } finally {
    link.close();
  }
  return { ms: rounded(median(times_ms)), system_calls: median(calls) };
}

/** Rules of all types, the events' command and cgroups read from the task as collectors do. */
async function measureAll(
  backend: KernelBackend,
  bytes: Uint8Array,
  rounds: number,
): Promise<Record<string, unknown>> {
  const results: Record<string, number> = {};
  let loop_ns = 0;
  for (const count of [10, 10_000] as const) {
    const subject = new BenchSubject(backend, bytes, BENCH_TYPES, count);
    try {
      let id = 1;
      const rules = BENCH_TYPES.flatMap((type) => benchRules(type, count));
      await subject.filters.replaceAll(rules.map((rule) => ({ ...rule, id: id++ })));
      const [loop, all] = measure(
        [
          [subject, "loop"],
          [subject, "filter"],
        ],
        rounds,
      );
      results[count] = rounded(all!.ns - loop!.ns);
      loop_ns = rounded(loop!.ns);
    } finally {
      subject.close();
    }
  }
  return { ns_by_rules_of_each_type: results, loop_ns };
}

const little = (...words: number[]): Uint8Array => new Uint8Array(Uint32Array.from(words).buffer);

/** The kernel's own maps with 10 and 100,000 keys. */
function measureRivals(
  backend: KernelBackend,
  bytes: Uint8Array,
  rounds: number,
): Record<string, unknown> {
  const rivals: Record<string, unknown> = {};
  const kinds = [
    ["hash_pid", "pid", "hash", (number: number) => little(1 + number)],
    [
      "lpm_network4",
      "network4",
      "lpm",
      (number: number) => little(32, ((number << 8) | 10) >>> 0, 0, 0, 0),
    ],
    ["lpm_network6", "network6", "lpm", (number: number) => little(128, 0xb80d0120, 0, number, 1)],
  ] as const;
  for (const [name, type, how, key] of kinds) {
    const subjects = COUNTS.map((count) => new BenchSubject(backend, bytes, [type], count));
    try {
      subjects.forEach((subject, i) => {
        const map = subject.map(`rival_${how}`);
        for (let number = 0; number < COUNTS[i]!; number++) map.update(key(number), little(1));
      });
      const timed = subjects.map((subject) => [subject, how] as const);
      const [loop, ...found] = measure([[subjects[0]!, "loop"], ...timed], rounds);
      const net = found.map(({ ns }) => ns - loop!.ns);
      rivals[name] = {
        ratio_100000_to_10: rounded(net.at(-1)! / net[0]!),
        ns_by_rules: Object.fromEntries(COUNTS.map((count, i) => [count, rounded(net[i]!)])),
        memory_bytes_10000: subjects[COUNTS.indexOf(REPLACED)]!.map(`rival_${how}`).memoryBytes(),
      };
    } finally {
      for (const subject of subjects) subject.close();
    }
  }
  return rivals;
}

export const filtersBench: Bench = {
  rounds: 100,
  async run({ rounds }) {
    requireKernel("bench filters");
    const given = build(["-DFILTER_SUBJECT_GIVEN"], "filters_given.bpf.o");
    const read = build([], "filters.bpf.o");
    const backend = createKernelBackend();
    try {
      const types: Record<string, unknown> = {};
      for (const type of [...REPORTED, "command"] as const) {
        types[type] = await measureType(backend, given, type, rounds);
      }
      return {
        bench: "filters",
        ...types,
        all_types: await measureAll(backend, read, rounds),
        rivals: measureRivals(backend, given, rounds),
        rounds,
        method:
          `median over rounds of ${ROUNDS} verdicts on random keys, half of them in a rule, in a loop in ` +
          "the kernel, less the same loop without a verdict; tables sized for the rules; memory of " +
          "tables and state of both generations as the kernel reports it; rivals: one lookup, one generation",
        machine: machine(),
      };
    } finally {
      backend.close();
    }
  },
};
