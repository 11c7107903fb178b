/** One loaded object of `bench filters`, with so many rules of one type in force. */
import type { BpfMap, BpfObject, Program } from "#core/backend.ts";
import { CAPACITY_NAMES, type Capacities, type CapacityName } from "#core/filters/filter_config.ts";
import { geometryFor, mapSizes, STATE_MAP, TABLE_MAPS } from "#core/filters/filter_geometry.ts";
import { FilterTarget } from "#core/filters/filter_target.ts";
import { LiveFilters } from "#core/filters/live_filters.ts";
import type { FilterRuleInput } from "#core/filters/rule.ts";
import { Xoshiro128 } from "#core/random/xoshiro128.ts";
import type { KernelBackend } from "#kernel/backend.ts";

/** As in bench/filters.bpf.c. */
export const ROUNDS = 8192;
export const BENCH_TYPES = CAPACITY_NAMES;
const ALL = BENCH_TYPES.length;
export const HOW = { loop: 0, filter: 1, hash: 2, lpm: 3 } as const;
export type How = keyof typeof HOW;

function address4(number: number): string {
  return `10.${number & 0xff}.${(number >> 8) & 0xff}.${(number >> 16) & 0xff}`;
}

function address6(number: number): string {
  const word = (at: number) =>
    (((number >> at) & 0xff) * 256 + ((number >> (at + 8)) & 0xff)).toString(16);
  return `2001:db8:0:0:${word(0)}:${word(16)}:100:0`;
}

function command(number: number): string {
  return String.fromCharCode(...[0, 6, 12, 18].map((at) => 64 | ((number >> at) & 63)));
}

/** Rule number `number`: what the program draws as key of that number. */
export function benchRule(type: CapacityName, number: number): FilterRuleInput {
  const common = { id: number + 1, action: "allow" } as const;
  switch (type) {
    case "pid":
      return { ...common, type, pid: 1 + number };
    case "uid":
      return { ...common, type, uid: Math.imul(number, 2654435761) >>> 0 };
    case "namespace":
      return { ...common, type, kind: "net", namespace: (0xf0000000 + number) >>> 0 };
    case "cgroup":
      return { ...common, type, cgroup: 1000 + number };
    case "network4":
      return { ...common, type: "network", cidr: address4(number), endpoint: "source" };
    case "network6":
      return { ...common, type: "network", cidr: address6(number), endpoint: "source" };
    case "command":
      return { ...common, type, command: command(number) };
  }
}

export function benchRules(type: CapacityName, count: number): FilterRuleInput[] {
  return Array.from({ length: count }, (_, number) => benchRule(type, number));
}

export function capacityOf(types: readonly CapacityName[], count: number): Capacities {
  return Object.fromEntries(
    CAPACITY_NAMES.map((name) => [name, types.includes(name) ? count : 0]),
  ) as Capacities;
}

export class BenchSubject {
  readonly object: BpfObject;
  readonly filters: LiveFilters;
  readonly #program: Program;
  readonly #type: number;
  readonly #count: number;
  #seed = 1;

  /** Several types: rules of each, all looked at. */
  constructor(
    backend: KernelBackend,
    bytes: Uint8Array,
    types: readonly CapacityName[],
    count: number,
  ) {
    const capacities = capacityOf(types, count);
    const geometry = geometryFor(capacities);
    this.object = backend.open(bytes, {
      name: "filters.bpf.o",
      maxEntries: { ...mapSizes(geometry), rival_hash: count, rival_lpm: count },
    });
    this.object.load();
    const random = new Xoshiro128(1);
    this.filters = new LiveFilters({
      targets: [new FilterTarget(this.object, geometry, () => random.u32())],
      capacities,
      random: () => random.u32(),
      pause: () => new Promise((resolve) => setImmediate(resolve)),
    });
    this.#program = this.object.programs.get("bench")!;
    this.#type =
      types.length === 1 ? BENCH_TYPES.indexOf(types[0] as (typeof BENCH_TYPES)[number]) : ALL;
    this.#count = count;
  }

  map(name: string): BpfMap {
    return this.object.maps.get(name)!;
  }

  /** Nanoseconds of one turn of the loop, and the part of turns that found a rule. */
  run(how: How): { readonly ns: number; readonly found: number } {
    this.#seed = (Math.imul(this.#seed, 48271) >>> 0) % 0x7fffffff;
    const numbers = [this.#type, HOW[how], 2 * this.#count, this.#seed];
    this.#program.run(new Uint8Array(BigUint64Array.from(numbers, BigInt).buffer));
    const memory = this.map("bench_results").memory();
    const [elapsed_ns, passed] = new BigUint64Array(memory.buffer, memory.byteOffset, 2);
    return { ns: Number(elapsed_ns) / ROUNDS, found: Number(passed) / ROUNDS };
  }

  /** Of the tables of `type` and the state, both generations, as the kernel reports it. */
  memoryBytes(type: CapacityName): number {
    const table = type === "network4" ? "networks4" : type === "network6" ? "wides" : "scalars";
    const name = type === "command" ? "wides" : table;
    return this.map(TABLE_MAPS[name]).memoryBytes() + this.map(STATE_MAP).memoryBytes();
  }

  close(): void {
    this.object.close();
  }
}
