/** The filters of one loaded collector: its tables, and what it has counted. */
import type { BpfMap, BpfObject } from "../backend.ts";
import { fieldReader, type NumberReader } from "../btf/fields.ts";
import { layoutOf } from "../btf/layout.ts";
import { findType } from "../btf/queries.ts";
import { BpfError } from "../errors.ts";
import { type Geometry, STATE_MAP, TABLE_MAPS } from "./filter_geometry.ts";
import { filterLayout } from "./filter_layout.ts";
import { RuleTables, type TableMemory } from "./rule_tables.ts";

const CPU_MAP = "filter_cpus";
const RULE_MAP = "filter_rule_hits";
/** Masks of types: 2^6. */
const OUTCOMES = 64;

/** Events by the mask of types that they matched, or that they had no rule of. */
export interface OutcomeCounts {
  readonly hits: Float64Array;
  readonly misses: Float64Array;
  shadowRejected: number;
}

function words(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
}

/** Memory of an object's filter tables, shared with its programs. */
export function tableMemory(object: BpfObject): TableMemory {
  const memory = (name: string) => words(mapOf(object, name).memory());
  return {
    state: memory(STATE_MAP),
    scalars: memory(TABLE_MAPS.scalars),
    networks4: memory(TABLE_MAPS.networks4),
    wides: memory(TABLE_MAPS.wides),
  };
}

function mapOf(object: BpfObject, name: string): BpfMap {
  const map = object.maps.get(name);
  if (map !== undefined) return map;
  throw new BpfError("filters", `${object.name} has no map ${name}`, {
    hint: "include bpf_filters.h",
  });
}

export class FilterTarget {
  readonly tables: RuleTables;
  readonly #cpus: BpfMap;
  readonly #rules: BpfMap;
  readonly #readers: {
    readonly hits: readonly NumberReader[];
    readonly misses: readonly NumberReader[];
    readonly shadowRejected: NumberReader;
  };
  readonly #key = new Uint32Array(1);

  /** The object is loaded and was opened with the sizes of `geometry`; it stays the caller's to close. */
  constructor(object: BpfObject, geometry: Geometry, random: () => number) {
    const layout = filterLayout(object.btf);
    this.tables = new RuleTables(layout, geometry, () => tableMemory(object), random);
    this.#cpus = mapOf(object, CPU_MAP);
    this.#rules = mapOf(object, RULE_MAP);
    const cpu = layoutOf(object.btf, findType(object.btf, "filter_cpu", "struct")!);
    const row = (name: string) =>
      Array.from({ length: OUTCOMES }, (_, i) => fieldReader(cpu, `${name}[${i}]`));
    this.#readers = {
      hits: row("hits"),
      misses: row("misses"),
      shadowRejected: fieldReader(cpu, "shadow_rejected"),
    };
  }

  /** Adds what all programs have counted on all CPUs. */
  addTo(counts: OutcomeCounts): void {
    const value = new Uint8Array(this.#cpus.valueBytes);
    const view = new DataView(value.buffer);
    const stride = Math.ceil(this.#cpus.spec.valueSize / 8) * 8;
    const { hits, misses, shadowRejected } = this.#readers;
    for (let program = 0; program < this.#cpus.spec.maxEntries; program++) {
      this.#cpus.lookup(this.#keyOf(program), value);
      for (let at = 0; at < value.length; at += stride) {
        for (let i = 0; i < OUTCOMES; i++) {
          counts.hits[i]! += hits[i]!(view, at);
          counts.misses[i]! += misses[i]!(view, at);
        }
        counts.shadowRejected += shadowRejected(view, at);
      }
    }
  }

  countRule(id: number, counted: boolean): void {
    if (counted) this.#rules.update(this.#keyOf(id), new Uint8Array(this.#rules.valueBytes));
    else this.#rules.delete(this.#keyOf(id));
  }

  ruleHits(id: number): number {
    const value = new BigUint64Array(this.#rules.valueBytes / 8);
    if (!this.#rules.lookup(this.#keyOf(id), new Uint8Array(value.buffer))) return 0;
    return Number(value.reduce((sum, hits) => sum + hits, 0n));
  }

  #keyOf(key: number): Uint8Array {
    this.#key[0] = key;
    return new Uint8Array(this.#key.buffer);
  }
}
