/** Maps whose descriptors the suite stores in maps of maps: two like the template, others unlike. */

import { type BpfMap, MAP_TYPE, type MapSpec } from "#core/backend.ts";
import { INNER_TEMPLATE } from "#property-tests/arbitraries/map_specs.ts";
import { hex, u32Bytes } from "#property-tests/models/bytes.ts";
import type { KnownMap } from "#property-tests/models/map_model.ts";
import type { MapBackend } from "#property-tests/models/model_backend.ts";
import { holdsDescriptors } from "./resolve.ts";

const UNLIKE_TEMPLATE: readonly MapSpec[] = [
  { ...INNER_TEMPLATE, name: "inner_longer", maxEntries: 3 },
  { ...INNER_TEMPLATE, name: "inner_wider", valueSize: 4 },
  { ...INNER_TEMPLATE, name: "inner_hash", type: MAP_TYPE.hash },
];

export class InnerMaps {
  private readonly backend: MapBackend;
  private created: BpfMap[] = [];
  private known: KnownMap[] = [];

  constructor(backend: MapBackend) {
    this.backend = backend;
  }

  /** Maps that a map of this spec may be given; created when first asked for. */
  knownTo(spec: MapSpec): readonly KnownMap[] {
    if (!holdsDescriptors(spec.type)) return [];
    if (this.known.length === 0) this.create();
    return this.known;
  }

  close(): void {
    for (const map of this.created) map.close();
  }

  private create(): void {
    const like = [INNER_TEMPLATE, INNER_TEMPLATE].map((spec) => this.backend.createMap(spec));
    const unlike = UNLIKE_TEMPLATE.map((spec) => this.backend.createMap(spec));
    this.created = [...like, ...unlike];
    this.known = [
      ...like.map((map) => ({ handle: map.handle, spec: map.spec, lookedUp: this.lookUp(map) })),
      ...unlike.map((map) => ({ handle: map.handle, spec: map.spec, lookedUp: "" })),
    ];
  }

  /** What an outer map answers for this one (`DIFFERENCES.innerMapIds`): asked, not assumed. */
  private lookUp(map: BpfMap): string {
    const outer = this.backend.createMap({
      name: "outer",
      type: MAP_TYPE.array_of_maps,
      keySize: 4,
      valueSize: 4,
      maxEntries: 1,
      flags: 0,
      inner: INNER_TEMPLATE,
    });
    try {
      const key = u32Bytes(0);
      const value = new Uint8Array(4);
      outer.update(key, u32Bytes(map.handle));
      if (!outer.lookup(key, value)) throw new Error("an inner map is not there after an update");
      return hex(value);
    } finally {
      outer.close();
    }
  }
}
