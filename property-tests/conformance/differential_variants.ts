/**
 * Two variants of the collectors' programs over random contexts on one kernel: the event of a tracepoint, and the arguments that
 * the kernel makes that event of. Arguments are addresses: what lies there is written into a map whose address a program tells.
 * Typed arguments cannot be made up; `test/kernel/variants.test.ts` has them.
 */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { afterAll, beforeAll, describe, test } from "vitest";
import type { Backend, BpfMap } from "#core/backend.ts";
import type { Btf } from "#core/btf/btf.ts";
import { findField } from "#core/btf/find_field.ts";
import { type Layout, layoutOf } from "#core/btf/layout.ts";
import { findType } from "#core/btf/queries.ts";
import { COLLECTORS, type CollectorSpec } from "#core/events/collectors.ts";
import {
  type CollectorRun,
  collectorRuns,
  encodeContext,
} from "#property-tests/arbitraries/collector_runs.ts";
import { checkProperty } from "#property-tests/property.ts";
import { compileBpf } from "../../test/support/clang.ts";
import { closePair, type DifferentialOptions, type MakePair, type Pair } from "./differential.ts";
import {
  closeCollector,
  compareRuns,
  describeCollector,
  type OpenCollector,
  openSide,
  runnableEvents,
} from "./differential_collectors.ts";
import { timeLimits } from "./options.ts";

/** Objects that arguments point to, each in its place. */
const PLACES = 3;
const PLACE_BYTES = 2048;

const MEMORY_SOURCE = `
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __uint(value_size, ${PLACES * PLACE_BYTES});
} memory SEC(".maps");
SEC("raw_tp")
int tell_address(void *context)
{
  __u32 zero = 0;
  __u64 *value = bpf_map_lookup_elem(&memory, &zero);
  if (value)
    *value = (__u64)value;
  return 0;
}
char LICENSE[] SEC("license") = "GPL";
`;

/** Memory of the kernel that programs can read and this test writes. */
class KernelMemory {
  readonly #map: BpfMap;
  readonly #bytes = new Uint8Array(PLACES * PLACE_BYTES);
  readonly #address: bigint;
  readonly close: () => void;

  constructor(backend: Backend) {
    const object = backend.open(compileBpf(MEMORY_SOURCE), { name: "memory" });
    this.close = () => object.close();
    object.load();
    object.programs.get("tell_address")!.run(new Uint8Array(8));
    this.#map = object.maps.get("memory")!;
    this.#map.lookup(FIRST, this.#bytes);
    this.#address = new DataView(this.#bytes.buffer).getBigUint64(0, true);
  }

  address(place: number): bigint {
    return this.#address + BigInt(place * PLACE_BYTES);
  }

  write(address: bigint, bytes: Uint8Array): void {
    this.#bytes.set(bytes, Number(address - this.#address));
    this.#map.update(FIRST, this.#bytes);
  }
}

const FIRST = new Uint8Array(4);

const ANYTHING = 0x5a5a_5a5a;

type Fields = CollectorRun["fields"];

const bytesOf = (fields: Fields, name: string): Uint8Array => fields[name] as Uint8Array;
const integerOf = (fields: Fields, name: string): bigint => BigInt(fields[name] as number | bigint);

/** The object at the run's place, as the kernel would have it. */
class Objects {
  readonly #socket: Layout;
  readonly #registers: Layout;

  constructor(kernel: Btf) {
    this.#socket = layoutOf(kernel, findType(kernel, "inet_sock", "struct")!);
    this.#registers = layoutOf(kernel, findType(kernel, "pt_regs", "struct")!);
  }

  /** Ports and addresses of a socket are in network byte order. */
  socket(fields: Fields): Uint8Array {
    const bytes = new Uint8Array(this.#socket.size);
    const view = new DataView(bytes.buffer);
    const at = (path: string): number => findField(this.#socket, path).offset;
    const common = (name: string): number => at(`sk.__sk_common.${name}`);
    const u16 = (name: string): number => Number(integerOf(fields, name));
    view.setUint16(common("skc_family"), u16("family"), true);
    if ("protocol" in fields) view.setUint16(at("sk.sk_protocol"), u16("protocol"), true);
    if ("state" in fields) view.setUint8(common("skc_state"), u16("state"));
    view.setUint16(at("inet_sport"), u16("sport"), false);
    view.setUint16(common("skc_dport"), u16("dport"), false);
    bytes.set(bytesOf(fields, "saddr"), at("inet_saddr"));
    bytes.set(bytesOf(fields, "daddr"), common("skc_daddr"));
    bytes.set(bytesOf(fields, "saddr_v6"), common("skc_v6_rcv_saddr"));
    bytes.set(bytesOf(fields, "daddr_v6"), common("skc_v6_daddr"));
    return bytes;
  }

  /** The number is the lower half of the register; the caller may leave anything in the other. */
  registers(fields: Fields): Uint8Array {
    const bytes = new Uint8Array(this.#registers.size);
    const { offset } = findField(this.#registers, "orig_ax");
    const view = new DataView(bytes.buffer);
    view.setInt32(offset, Number(integerOf(fields, "id")), true);
    view.setUint32(offset + 4, ANYTHING, true);
    return bytes;
  }
}

const words = (...values: readonly bigint[]): Uint8Array =>
  new Uint8Array(BigInt64Array.from(values, (value) => BigInt.asIntN(64, value)).buffer);

/** The run as an event and objects can both say it: a socket is where it is, its state a byte, a number an int. */
function visible({ program, fields, ...run }: CollectorRun, memory: KernelMemory): CollectorRun {
  const said: Record<string, number | bigint | Uint8Array> = { ...fields };
  if ("skaddr" in fields) {
    said["skaddr"] = memory.address(Number(integerOf(fields, "skaddr") % BigInt(PLACES)));
  }
  if ("state" in fields) said["state"] = Number(fields["state"]) & 0xff;
  if (program === "syscall_exit") said["id"] = BigInt.asIntN(32, integerOf(fields, "id"));
  return { ...run, program, fields: said };
}

/** Arguments of the tracepoint, with what they point to in its place. */
function argumentsOf(
  { program, fields }: CollectorRun,
  memory: KernelMemory,
  objects: Objects,
): Uint8Array {
  const integer = (name: string): bigint => integerOf(fields, name);
  const network = "skaddr" in fields;
  const address = network ? integer("skaddr") : memory.address(0);
  memory.write(address, network ? objects.socket(fields) : objects.registers(fields));
  switch (program) {
    case "tcp_state":
      return words(address, integer("oldstate"), integer("newstate"));
    case "tcp_retransmit":
      return words(address, 0n);
    case "syscall_enter":
      return words(address, integer("id"));
    case "syscall_exit":
      return words(address, integer("ret"));
    default:
      throw new Error(`program ${program}: its arguments are not described`);
  }
}

function openVariants(
  backend: Backend,
  kernel: Btf,
  spec: CollectorSpec,
  memory: KernelMemory,
): OpenCollector {
  const objects = new Objects(kernel);
  const raw = (program: string): string =>
    spec.programs
      .find(({ name }) => name === program)!
      .hooks.find(({ kind }) => kind === "raw_tracepoint")!.function;
  const names = spec.programs.map(({ name }) => name);
  const object = readFileSync(`build/bpf/${spec.object}`);
  const direct = openSide(backend, spec, object, names.map(raw));
  const event = openSide(backend, spec, runnableEvents(spec, "raw_tp"), names);
  // The direct one first: before 5.16 the event's program reads the family of the socket, too.
  const sides = [
    {
      label: "by its arguments",
      ...direct,
      run: (run: CollectorRun) =>
        direct.object.programs.get(raw(run.program))!.run(argumentsOf(run, memory, objects)),
    },
    {
      label: "by its event",
      ...event,
      run: (run: CollectorRun) =>
        event.object.programs.get(run.program)!.run(encodeContext(kernel, run)),
    },
  ] as const;
  return { ...describeCollector(spec), sides, visible: (run) => visible(run, memory) };
}

export function differentialVariants(makePair: MakePair, options: DifferentialOptions): void {
  describe(`variants of collectors on ${options.label}`, timeLimits(), () => {
    let pair: Pair | undefined;
    let memory: KernelMemory | undefined;
    const collectors = new Map<string, OpenCollector>();
    beforeAll(async () => {
      pair = await makePair();
      const { backend } = pair.real;
      const kernel = pair.real.btf();
      memory = new KernelMemory(backend);
      for (const spec of COLLECTORS.values()) {
        collectors.set(spec.name, openVariants(backend, kernel, spec, memory));
      }
    });
    afterAll(() => {
      for (const collector of collectors.values()) closeCollector(collector);
      memory?.close();
      closePair(pair);
    });

    for (const name of COLLECTORS.keys()) {
      test(`${name}: arguments and events end in the same records, counters and state`, () => {
        const property = fc.property(fc.array(collectorRuns(name), { maxLength: 40 }), (runs) =>
          compareRuns(collectors.get(name)!, runs),
        );
        const runs = checkProperty("differential variants", property, options.runs);
        options.compared?.(`${name} variants`, runs);
      });
    }
  });
}
