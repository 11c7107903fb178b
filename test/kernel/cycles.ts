/** What is done over and over to see that nothing stays behind and no memory is misused. */
import type { BpfMap } from "#core/backend.ts";
import { MAP_TYPE } from "#core/backend.ts";
import { createKernelBackend, type KernelBackend } from "#kernel/backend.ts";
import { compileBpf } from "../support/clang.ts";

const REJECTED = `
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");
SEC("raw_tp/native_test")
int reads_anywhere(struct bpf_raw_tracepoint_args *context)
{
	bpf_ringbuf_output(&ring, context, 8, 0);
	return *(volatile int *)context->args[0];
}
char LICENSE[] SEC("license") = "GPL";
`;

export interface CycleObjects {
  readonly ring: Uint8Array;
  readonly hooks: Uint8Array;
  readonly rejected: Uint8Array;
}

export function compileCycleObjects(): CycleObjects {
  return {
    ring: compileBpf("test/kernel/ring.bpf.c"),
    hooks: compileBpf("test/kernel/hooks.bpf.c"),
    rejected: compileBpf(REJECTED),
  };
}

function fails(body: () => void): void {
  try {
    body();
  } catch {
    return;
  }
  throw new Error("it should have failed");
}

/** One of four kinds of life of an object, by `round`: refused, attached, read, read in full. */
export async function cycle(objects: CycleObjects, round: number): Promise<void> {
  const backend = createKernelBackend();
  try {
    if (round % 4 === 0) refuse(backend, objects);
    else if (round % 4 === 1) attach(backend, objects, round % 8 === 1);
    else await readRing(backend, objects, round % 4 === 3);
  } finally {
    backend.close();
  }
}

function refuse(backend: KernelBackend, { rejected, ring, hooks }: CycleObjects): void {
  fails(() => backend.open(rejected).load());
  fails(() => backend.open(rejected.subarray(0, rejected.length / 2)));
  fails(() => backend.open(ring, { maxEntries: { counters: 0 } }).load());
  const object = backend.open(hooks, { programs: ["on_xdp"] });
  object.load();
  fails(() => object.programs.get("on_xdp")!.attach({ interface: "absent0" }));
}

function attach(backend: KernelBackend, { hooks }: CycleObjects, close: boolean): void {
  const opened = backend.open(hooks, { programs: ["on_raw_tracepoint", "on_task"] });
  opened.load();
  opened.programs.get("on_raw_tracepoint")!.attach();
  opened.programs.get("on_task")!.attach().readIterator();
  opened.programs.get("on_raw_tracepoint")!.info();
  // Closed with its object, or with the backend.
  if (close) opened.close();
}

async function readRing(backend: KernelBackend, objects: CycleObjects, full: boolean) {
  const opened = backend.open(objects.ring);
  opened.load();
  const ring = opened.maps.get("ring")!.ring();
  opened.maps.get("counters")!.memory();
  const waiting = ring.wait(1000);
  if (full) opened.programs.get("produce")!.run(new Uint8Array(24).fill(1, 0, 1));
  ring.consume(() => {});
  opened.close();
  await waiting;
}

const COMMON = { keySize: 4, valueSize: 12, maxEntries: 64, flags: 0 };

/** Every operation of maps, on those that belong to no object; those that fail, too. */
export function useMaps(backend: KernelBackend): void {
  for (const type of [MAP_TYPE.hash, MAP_TYPE.array, MAP_TYPE.percpu_hash, MAP_TYPE.lru_hash]) {
    const map = backend.createMap({ ...COMMON, name: "cycle", type });
    useMap(map);
    map.close();
  }
  fails(() => backend.createMap({ ...COMMON, name: "cycle", type: 9999 }));
}

function useMap(map: BpfMap): void {
  const { valueBytes, spec } = map;
  const count = 16;
  const keys = new Uint8Array(Uint32Array.from({ length: count }, (_, i) => i).buffer);
  const values = new Uint8Array(valueBytes * count).fill(3);
  const key = keys.subarray(4, 8);
  const value = values.slice(0, valueBytes);
  map.update(key, value);
  map.lookup(key, value);
  map.nextKey(null, new Uint8Array(4));
  map.updateBatch(keys, values, count);
  for (let cursor: Uint8Array | null | undefined; cursor !== null; ) {
    cursor = map.lookupBatch(cursor ?? null, keys.slice(), values.slice(), count).cursor;
  }
  fails(() => map.lookup(new Uint8Array(3), value));
  fails(() => map.update(new Uint8Array(4).fill(255), value, 99));
  if (spec.type === MAP_TYPE.array) fails(() => map.memory());
  else map.deleteBatch(keys, count);
}
