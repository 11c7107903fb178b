/** Events through the tables of a backend: described, judged in batches, read back. */
import type { Backend, BpfMap, BpfObject, Program } from "#core/backend.ts";
import { type Codec, createCodec } from "#core/btf/codec.ts";
import { parseBtf } from "#core/btf/parse.ts";
import { findType } from "#core/btf/queries.ts";
import type { Capacities } from "#core/filters/filter_config.ts";
import {
  type Geometry,
  geometryFor,
  mapSizes,
  STATE_MAP,
  TABLE_MAPS,
} from "#core/filters/filter_geometry.ts";
import { FilterTarget } from "#core/filters/filter_target.ts";
import { LiveFilters } from "#core/filters/live_filters.ts";
import { NAMESPACE_KINDS } from "#core/filters/rule.ts";
import { Xoshiro128 } from "#core/random/xoshiro128.ts";
import { parseElf } from "#wasm/loader/elf.ts";
import { compileBpf } from "../../test/support/clang.ts";
import type { DescribedEvent, Endpoint } from "./evaluator.ts";

export const CASES_MAX = 256;

export interface KernelVerdict {
  readonly pass: boolean;
  readonly shadowRejected: boolean;
  readonly rule: number;
  readonly generation: number;
}

export const judgeObject = (): Uint8Array =>
  compileBpf("property-tests/filters/programs/judge.bpf.c");

function bytesOf(value: bigint, length: number): Uint8Array {
  const bytes = new Uint8Array(16);
  for (let i = length - 1; i >= 0; i--) {
    bytes[i] = Number(value & 0xffn);
    value >>= 8n;
  }
  return bytes;
}

/** An event as `struct filter_case` has it. */
export function caseOf(event: DescribedEvent): Record<string, unknown> {
  const { network, namespaces } = event;
  const address = ({ address }: Endpoint) =>
    Array.from(bytesOf(address, network!.family === 4 ? 4 : 16));
  const command = new Uint8Array(16);
  new TextEncoder().encodeInto(event.command, command);
  return {
    facts: {
      task: {
        cgroup_id: event.cgroups.at(-1) ?? 0n,
        pid: event.pid,
        tid: event.pid,
        uid: event.uid,
        pid_namespace: namespaces.pid,
        net_namespace: namespaces.net,
        mnt_namespace: namespaces.mnt,
      },
      network:
        network === undefined
          ? {}
          : {
              source_address: address(network.source),
              destination_address: address(network.destination),
              source_port: network.source.port,
              destination_port: network.destination.port,
              family: network.family === 4 ? 2 : 10,
              protocol: network.protocol,
            },
      type: 1,
    },
    subject: {
      cgroups: event.cgroups,
      cgroups_count: event.cgroups.length,
      namespaces: NAMESPACE_KINDS.map((kind) => namespaces[kind]),
      command: Array.from(new BigUint64Array(command.buffer)),
    },
    verdict: {},
  };
}

/** Copies of maps that belong to another machine, sent whole before programs look. */
class RemoteMemory {
  readonly #maps: readonly (readonly [BpfMap, Uint8Array])[];

  constructor(object: BpfObject) {
    const names = [TABLE_MAPS.scalars, TABLE_MAPS.networks4, TABLE_MAPS.wides, STATE_MAP];
    this.#maps = names.map((name) => {
      const map = object.maps.get(name)!;
      const bytes = new Uint8Array(map.spec.maxEntries * Math.ceil(map.spec.valueSize / 8) * 8);
      map.memory = () => bytes;
      return [map, bytes] as const;
    });
  }

  send(): void {
    for (const [map, bytes] of this.#maps) {
      const count = map.spec.maxEntries;
      const keys = new Uint8Array(Uint32Array.from({ length: count }, (_, i) => i).buffer);
      map.updateBatch(keys, bytes, count);
    }
  }
}

/** An object of another machine, which keeps its types to itself, with those of its bytes. */
function withBtf(object: BpfObject, bytes: Uint8Array): BpfObject {
  const section = parseElf(bytes, "judge").sections.find(({ name }) => name === ".BTF");
  return {
    name: object.name,
    btf: parseBtf(section!.data),
    programs: object.programs,
    maps: object.maps,
    load: () => object.load(),
    close: () => object.close(),
  };
}

export class Judge {
  readonly filters: LiveFilters;
  readonly object: BpfObject;
  readonly geometry: Geometry;
  readonly #program: Program;
  readonly #cases: BpfMap;
  readonly #codec: Codec;
  readonly #remote: RemoteMemory | undefined;
  readonly #stride: number;

  /** `remote`: the backend's maps cannot be shared, they are copied before every run. */
  constructor(backend: Backend, capacities: Capacities, seed: number, remote = false) {
    this.geometry = geometryFor(capacities);
    const maxEntries = mapSizes(this.geometry);
    const bytes = judgeObject();
    const object = backend.open(bytes, { name: "judge", maxEntries });
    object.load();
    this.object = remote ? withBtf(object, bytes) : object;
    const random = new Xoshiro128(seed);
    this.#remote = remote ? new RemoteMemory(this.object) : undefined;
    this.filters = new LiveFilters({
      targets: [new FilterTarget(this.object, this.geometry, () => random.u32())],
      capacities,
      random: () => random.u32(),
      pause: async () => {},
    });
    this.#program = this.object.programs.get("judge")!;
    this.#cases = this.object.maps.get("cases")!;
    this.#codec = createCodec(this.object.btf, findType(this.object.btf, "filter_case", "struct")!);
    this.#stride = Math.ceil(this.#codec.size / 8) * 8;
  }

  judge(events: readonly DescribedEvent[]): KernelVerdict[] {
    const verdicts: KernelVerdict[] = [];
    this.#remote?.send();
    for (let at = 0; at < events.length; at += CASES_MAX) {
      verdicts.push(...this.#judgeSome(events.slice(at, at + CASES_MAX)));
    }
    return verdicts;
  }

  #judgeSome(events: readonly DescribedEvent[]): KernelVerdict[] {
    const bytes = new Uint8Array(events.length * this.#stride);
    for (const [i, event] of events.entries()) {
      this.#codec.encode(caseOf(event), bytes, i * this.#stride);
    }
    const keys = new Uint8Array(Uint32Array.from(events, (_, i) => i).buffer);
    const context = new Uint8Array(new BigUint64Array([BigInt(events.length)]).buffer);
    if (this.#remote === undefined) this.#cases.memory().set(bytes);
    else this.#cases.updateBatch(keys, bytes, events.length);
    this.#program.run(context);
    if (this.#remote === undefined) bytes.set(this.#cases.memory().subarray(0, bytes.length));
    else this.#cases.lookupBatch(null, keys, bytes, events.length);
    return events.map((_, i) => this.#verdictAt(bytes, i * this.#stride));
  }

  #verdictAt(bytes: Uint8Array, at: number): KernelVerdict {
    const { verdict } = this.#codec.decode(bytes, at) as unknown as {
      verdict: { pass: boolean; shadow_rejected: boolean; rule: number; generation: number };
    };
    return {
      pass: Boolean(verdict.pass),
      shadowRejected: Boolean(verdict.shadow_rejected),
      rule: verdict.rule,
      generation: verdict.generation,
    };
  }

  close(): void {
    this.object.close();
  }
}
