/**
 * The shipped collectors over random contexts, on a real kernel and on the simulated one: the same
 * return values, records, statistics and state.
 *
 * No kernel runs a tracepoint program on request, so the objects' bytes are changed in one place: the
 * names of their sections, which make them programs of type syscall. Those take any context. Kernels
 * without them (before 5.14) run raw tracepoint programs, whose context is as long as twelve words.
 */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { afterAll, beforeAll, describe, test } from "vitest";
import type { Backend, BpfMap, BpfObject, RunResult } from "#core/backend.ts";
import type { Btf } from "#core/btf/btf.ts";
import { findField } from "#core/btf/find_field.ts";
import { layoutOf } from "#core/btf/layout.ts";
import { findType } from "#core/btf/queries.ts";
import { COLLECTORS, type CollectorSpec } from "#core/events/collectors.ts";
import { createEventSchema, type EventSchema } from "#core/events/event_schema.ts";
import { StatisticsMap } from "#core/pipeline/statistics_map.ts";
import {
  type CollectorRun,
  collectorRuns,
  encodeContext,
  visibleTo,
} from "#property-tests/arbitraries/collector_runs.ts";
import { DIFFERENCES } from "#property-tests/differences.ts";
import { hex } from "#property-tests/models/bytes.ts";
import type { KernelFeatures } from "#property-tests/models/kernel_version.ts";
import { checkProperty } from "#property-tests/property.ts";
import { parseObject } from "#wasm/loader/object_spec.ts";
import { closePair, type DifferentialOptions, type MakePair, type Pair } from "./differential.ts";
import { timeLimits } from "./options.ts";

/** Maps that hold what a collector remembers between runs. */
const STATE_MAPS = ["tcp_states", "syscall_starts"];

/** Fields of records that `DIFFERENCES.currentTask`, `clock`, `randomness` and `cpuOfRun` allow. */
const UNEQUAL_FIELDS = {
  [DIFFERENCES.currentTask.what]: [
    "pid",
    "tid",
    "uid",
    "cgroup_id",
    "pid_namespace",
    "net_namespace",
    "mnt_namespace",
    "command",
  ],
  [DIFFERENCES.clock.what]: ["timestamp_ns"],
  [DIFFERENCES.randomness.what]: ["randomness"],
  [DIFFERENCES.cpuOfRun.what]: ["cpu", "sequence"],
};
const UNEQUAL_MEMBERS = ["duration_ns", "latency_ns", "owner_pid"];

/** Counters that are times. */
const UNEQUAL_COUNTERS = ["last_update_ns", "timed_run_ns"];

/** What programs are made to be, so that they run on request. */
export type RunnableKind = "syscall" | "raw_tp";

/** The object with its programs made runnable; `?` keeps two sections apart. */
export function runnableOnRequest(
  object: Uint8Array,
  sections: readonly string[],
  kind: RunnableKind = "syscall",
): Uint8Array {
  const bytes = Buffer.from(object);
  for (const [index, section] of sections.entries()) {
    const name = `${"?".repeat(index)}${kind}`;
    const wanted = `${section}\0`;
    for (let at = bytes.indexOf(wanted); at >= 0; at = bytes.indexOf(wanted, at + 1)) {
      bytes.fill(0, at, at + section.length);
      bytes.write(name, at, "latin1");
    }
  }
  return new Uint8Array(bytes);
}

/** One of the two that are compared. */
export interface Side {
  readonly label: string;
  readonly object: BpfObject;
  readonly ring: ReturnType<BpfMap["ring"]>;
  /** Lets the program see what the run says. */
  run(run: CollectorRun): RunResult;
}

export interface OpenCollector {
  readonly spec: CollectorSpec;
  readonly schema: EventSchema;
  readonly masks: ReadonlyMap<number, Uint8Array>;
  readonly btf: Btf;
  readonly sides: readonly [Side, Side];
  /** The run as far as both sides can see it. */
  visible(run: CollectorRun): CollectorRun;
}

export function differentialCollectors(
  makePair: MakePair,
  options: DifferentialOptions,
  { syscallPrograms }: KernelFeatures,
): void {
  describe(`collectors on ${options.label} and on the simulated kernel`, timeLimits(), () => {
    let pair: Pair | undefined;
    const collectors = new Map<string, OpenCollector>();
    beforeAll(async () => {
      pair = await makePair();
      const kernel = pair.real.btf();
      const kind = syscallPrograms ? "syscall" : "raw_tp";
      for (const spec of COLLECTORS.values()) {
        collectors.set(spec.name, openOn(pair, kernel, spec, kind));
      }
    });
    afterAll(() => {
      for (const collector of collectors.values()) closeCollector(collector);
      closePair(pair);
    });

    for (const name of COLLECTORS.keys()) {
      test(`${name}: random contexts end in the same records, counters and state`, () => {
        const property = fc.property(fc.array(collectorRuns(name), { maxLength: 40 }), (runs) =>
          compareRuns(collectors.get(name)!, runs),
        );
        const runs = checkProperty("differential collectors", property, options.runs);
        options.compared?.(`${name} collector`, runs);
      });
    }
  });
}

/** `kernel` has the types of the real one. */
function openOn(
  { real, simulated }: Pair,
  kernel: Btf,
  spec: CollectorSpec,
  kind: RunnableKind,
): OpenCollector {
  const changed = runnableEvents(spec, kind);
  const programs = spec.programs.map(({ name }) => name);
  const side = (label: string, backend: Backend, types: Btf): Side => {
    const opened = openSide(backend, spec, changed, programs);
    const { object } = opened;
    const run = (wanted: CollectorRun) =>
      object.programs.get(wanted.program)!.run(encodeContext(types, wanted));
    return { label, ...opened, run };
  };
  const sides = [
    side("the kernel", real.backend, kernel),
    side("simulated", simulated, simulated.kernelBtf),
  ] as const;
  return { ...describeCollector(spec), sides, visible: (run) => visibleTo(kernel, run) };
}

/** The collector's object, whose programs that load by themselves can be run on request. */
export function runnableEvents(spec: CollectorSpec, kind: RunnableKind): Uint8Array {
  const bytes = new Uint8Array(readFileSync(`build/bpf/${spec.object}`));
  const { programs } = parseObject(bytes, spec.object);
  const sections = programs.filter(({ autoload }) => autoload).map(({ section }) => section);
  return runnableOnRequest(bytes, sections, kind);
}

export function openSide(
  backend: Backend,
  spec: CollectorSpec,
  bytes: Uint8Array,
  programs: readonly string[],
): Pick<Side, "object" | "ring"> {
  const object = backend.open(bytes, { name: spec.object, programs });
  object.load();
  return { object, ring: object.maps.get(spec.ring)!.ring() };
}

export function closeCollector({ sides }: OpenCollector): void {
  for (const { ring, object } of sides) {
    ring.close();
    object.close();
  }
}

/** What is known of a collector's records without running it. */
export function describeCollector(
  spec: CollectorSpec,
): Pick<OpenCollector, "spec" | "schema" | "masks" | "btf"> {
  const { btf } = parseObject(readFileSync(`build/bpf/${spec.object}`), spec.object);
  const schema = createEventSchema(btf, spec);
  return { spec, schema, masks: masksOf(btf, spec, schema), btf };
}

/** For every type of event, which bytes of a record are compared. */
function masksOf(btf: Btf, spec: CollectorSpec, schema: EventSchema): Map<number, Uint8Array> {
  const masks = new Map<number, Uint8Array>();
  for (const [number, { spec: event, size }] of schema.types) {
    const layout = layoutOf(btf, findType(btf, event.struct, "struct")!);
    const mask = new Uint8Array(size).fill(0xff);
    const fields = Object.values(UNEQUAL_FIELDS)
      .flat()
      .map((name) => `header.${name}`);
    const members = UNEQUAL_MEMBERS.filter((name) =>
      layout.fields.some(({ path }) => path === name),
    );
    for (const path of [...fields, ...members]) {
      const { offset, size: bytes } = findField(layout, path);
      mask.fill(0, offset, offset + bytes);
    }
    masks.set(number, mask);
  }
  if (masks.size !== spec.events.length) throw new Error(`${spec.name}: types share a number`);
  return masks;
}

/** Throws at the first run after which the two differ, or where the state does in the end. */
export function compareRuns(collector: OpenCollector, runs: readonly CollectorRun[]): void {
  const { sides } = collector;
  for (const { object } of sides) emptyState(object);
  const before = sides.map((side) => counters(collector, side));
  const steps: string[] = [];
  const compare = (one: string, other: string): void => {
    if (one === other) return;
    const [first, second] = sides;
    const both = [`${first.label}: ${one}`, `${second.label}: ${other}`];
    throw new Error([...steps, ...both].join("\n  "));
  };
  for (const any of runs) {
    const run = collector.visible(any);
    steps.push(fc.stringify(run));
    compare(runOnce(collector, sides[0], run), runOnce(collector, sides[1], run));
  }
  const [one, other] = sides.map((side, index) => {
    const after = counters(collector, side);
    const grown = Object.entries(after).map(([name, n]) => [name, n - before[index]![name]!]);
    return JSON.stringify([grown, stateOf(side.object)]);
  });
  compare(one!, other!);
}

function runOnce(collector: OpenCollector, side: Side, run: CollectorRun): string {
  const { returnValue } = side.run(run);
  const records: string[] = [];
  side.ring.consume(({ buffer, view, offsets, lengths, count }) => {
    for (let index = 0; index < count; index++) {
      const [offset, length] = [offsets[index]!, lengths[index]!];
      const mask = collector.masks.get(collector.schema.header.type(view, offset));
      const bytes = buffer.slice(offset, offset + length);
      records.push(hex(bytes.map((byte, at) => byte & (mask?.[at] ?? 0xff))));
    }
  });
  return `returned ${returnValue}, ${records.length} records ${records.join(" ")}`;
}

/** Sums over CPUs, by program and name. */
function counters({ spec, btf }: OpenCollector, { object }: Side): Record<string, number> {
  const statistics = new StatisticsMap(object.maps.get(spec.statistics)!, btf);
  const sums: Record<string, number> = {};
  for (const index of spec.programs.keys()) {
    for (const cpu of statistics.read(index)) {
      for (const [name, value] of Object.entries(cpu)) {
        if (UNEQUAL_COUNTERS.includes(name)) continue;
        sums[`${index}.${name}`] = (sums[`${index}.${name}`] ?? 0) + value;
      }
    }
  }
  return sums;
}

function keysOf(map: BpfMap): Uint8Array[] {
  const keys: Uint8Array[] = [];
  const next = new Uint8Array(map.spec.keySize);
  for (let key: Uint8Array | null = null; map.nextKey(key, next); key = keys.at(-1)!) {
    keys.push(next.slice());
  }
  return keys;
}

function stateMaps(object: BpfObject): BpfMap[] {
  return STATE_MAPS.flatMap((name) => object.maps.get(name) ?? []);
}

function emptyState(object: BpfObject): void {
  for (const map of stateMaps(object)) for (const key of keysOf(map)) map.delete(key);
}

/** How many entries there are, and which sockets; thread numbers are `DIFFERENCES.currentTask`. */
function stateOf(object: BpfObject): unknown {
  return stateMaps(object).map((map) => {
    const keys = keysOf(map).map(hex).sort();
    return map.name === "syscall_starts" ? keys.length : keys;
  });
}
