/** The model of every map type, and the errno of creating a map. */

import { MAP_TYPE, type MapSpec } from "#core/backend.ts";
import { ERRNO } from "#core/errors.ts";
import { arrayModel, percpuArrayModel } from "./array.ts";
import { arrayOfMapsModel } from "./array_of_maps.ts";
import { bloomFilterModel } from "./bloom_filter.ts";
import { hashModel, percpuHashModel } from "./hash.ts";
import { hashOfMapsModel } from "./hash_of_maps.ts";
import type { KernelFeatures } from "./kernel_version.ts";
import { lpmTrieModel } from "./lpm_trie.ts";
import { lruHashModel, lruPercpuHashModel } from "./lru_hash.ts";
import { generalCreationErrno, type MapModelType } from "./map_model.ts";
import { perfEventArrayModel } from "./perf_event_array.ts";
import { progArrayModel } from "./prog_array.ts";
import { queueModel } from "./queue.ts";
import { ringbufModel } from "./ringbuf.ts";
import { stackModel } from "./stack.ts";

/** Map types that have a model. */
export const MODELLED_TYPES = [
  "array",
  "percpu_array",
  "hash",
  "percpu_hash",
  "lru_hash",
  "lru_percpu_hash",
  "lpm_trie",
  "queue",
  "stack",
  "bloom_filter",
  "array_of_maps",
  "hash_of_maps",
  "prog_array",
  "perf_event_array",
  "ringbuf",
] as const;

export type ModelledType = (typeof MODELLED_TYPES)[number];

export const MAP_MODELS: Readonly<Record<ModelledType, MapModelType>> = {
  array: arrayModel,
  percpu_array: percpuArrayModel,
  hash: hashModel,
  percpu_hash: percpuHashModel,
  lru_hash: lruHashModel,
  lru_percpu_hash: lruPercpuHashModel,
  lpm_trie: lpmTrieModel,
  queue: queueModel,
  stack: stackModel,
  bloom_filter: bloomFilterModel,
  array_of_maps: arrayOfMapsModel,
  hash_of_maps: hashOfMapsModel,
  prog_array: progArrayModel,
  perf_event_array: perfEventArrayModel,
  ringbuf: ringbufModel,
};

/** The model of a spec's type, or undefined where there is none. */
export function modelOf(type: number): MapModelType | undefined {
  const name = MODELLED_TYPES.find((modelled) => MAP_TYPE[modelled] === type);
  return name === undefined ? undefined : MAP_MODELS[name];
}

/** 0, or the errno that creating the map answers. */
export function creationErrno(spec: MapSpec, kernel: KernelFeatures): number {
  const model = modelOf(spec.type);
  if (model === undefined) return ERRNO.EINVAL;
  return generalCreationErrno(spec) || model.creationErrno(spec, kernel);
}
