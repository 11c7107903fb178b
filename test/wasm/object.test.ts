/** What an object holds, and that nothing of it stays behind. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readArtifact } from "#cli/artifacts.ts";
import { type BpfObject, MAP_TYPE } from "#core/backend.ts";
import { ERRNO } from "#core/errors.ts";
import { LINUX_6_18_HOOKS } from "#core/trace/linux_hooks.ts";
import { taskFacts } from "#core/trace/task_facts.ts";
import { createWasmBackend, type WasmBackend } from "#wasm/backend.ts";
import { loadRuntimeModule } from "#wasm/load_runtime.ts";
import { BlockBuilder } from "#wasm/world/block_builder.ts";
import { Replayer } from "#wasm/world/replayer.ts";
import { compileBpf } from "../support/clang.ts";
import { thrown } from "../support/thrown.ts";

const SOURCE = `#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, unsigned int);
	__type(value, unsigned long long);
} runs SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");
unsigned long long counted = 0;
static int count(void)
{
	unsigned int key = 0;
	unsigned long long *value = bpf_map_lookup_elem(&runs, &key);
	if (value)
		*value += 1;
	bpf_ringbuf_output(&ring, &counted, sizeof(counted), 0);
	return ++counted;
}
SEC("tp/raw_syscalls/sys_enter") int enter(void *context) { return count(); }
SEC("tp/raw_syscalls/sys_exit") int leave(void *context) { return count(); }
`;
const BROKEN = `${SOURCE}
SEC("raw_tp/x") int broken(void *context)
{ asm volatile("*(u64 *)(r10 - 520) = r1"); return 0; }`;

const object = compileBpf(SOURCE);
const broken = compileBpf(BROKEN);
const runtime = await loadRuntimeModule();
const MAP = { name: "m", type: MAP_TYPE.array, keySize: 4, valueSize: 8, maxEntries: 1, flags: 0 };
const HOOK = Object.values(LINUX_6_18_HOOKS).find(({ hook }) => hook.endsWith("sys_enter"))!;

let backend: WasmBackend;
afterEach(() => backend.close());

function opened(bytes: Uint8Array = object): BpfObject {
  const result = backend.open(bytes);
  result.load();
  return result;
}

function runs(of: BpfObject): bigint {
  const value = new Uint8Array(8);
  of.maps.get("runs")!.lookup(new Uint8Array(4), value);
  return new DataView(value.buffer).getBigUint64(0, true);
}

/** One system call entry on CPU 0. */
function fire(replayer: Replayer): void {
  const builder = new BlockBuilder();
  builder.add(1000, 0, 0, HOOK.id, HOOK.size);
  replayer.tasks({ kind: "tasks", tasks: [{ slot: 0, facts: taskFacts({ pid: 7 }) }] });
  replayer.events(builder.block(), 1, () => {});
}

function newReplayer(): Replayer {
  return new Replayer(backend, {
    source: "test",
    kernel: "none",
    machine: "x86_64",
    cpus: 1,
    clock: "monotonic",
    taskFacts: ["pid"],
    hooks: [HOOK],
  });
}

describe.each(["ubpf", "aot"])("an object on %s", (engine) => {
  const kernelTypes = readArtifact("wasm/kernel_types.bpf.o");
  beforeEach(async () => {
    backend = await createWasmBackend({ runtime, kernelTypes, engine, memoryBytes: 16 << 20 });
  });
  const used = (): number => backend.instance.exports.rt_memory_used();

  it("gives back all memory when it closes, rings, links and runs included", () => {
    const live = (): void => {
      const each = opened();
      each.programs.get("enter")!.attach();
      each.maps.get("ring")!.ring();
      for (const program of each.programs.values()) program.run(new Uint8Array(64), { repeat: 3 });
      expect(runs(each)).toBe(6n);
      each.close();
    };
    live();
    const before = used();
    for (let i = 0; i < 20; i++) live();
    expect(used()).toBe(before);
  });

  it("gives back all memory where its load fails, and is closed then", () => {
    const fail = (): void => {
      const each = backend.open(broken);
      expect(thrown(() => each.load()).message).toMatch(/load program broken/);
      expect(thrown(() => each.load())).toMatchObject({ errno: ERRNO.EBADF });
      expect(thrown(() => each.programs.get("enter")!.attach())).toMatchObject({ errno: 9 });
    };
    fail();
    const before = used();
    for (let i = 0; i < 5; i++) fail();
    expect(used()).toBe(before);
  });

  it("gives back all memory where a map does not fit", () => {
    const fail = (): void => {
      const each = backend.open(object, { maxEntries: { ring: 1 << 26 } });
      expect(thrown(() => each.load())).toMatchObject({ errno: ERRNO.ENOMEM });
    };
    fail();
    const before = used();
    fail();
    expect(used()).toBe(before);
    expect(opened().programs.get("enter")!.run(new Uint8Array(64)).returnValue).toBe(1);
  });

  it("closes twice without harm, and nothing of it answers after that", () => {
    const each = opened();
    const [program, map] = [each.programs.get("enter")!, each.maps.get("runs")!];
    const ring = each.maps.get("ring")!.ring();
    const link = program.attach();
    each.close();
    each.close();
    link.close();
    const uses = [
      () => program.run(new Uint8Array(64)),
      () => program.attach(),
      () => program.info(),
      () => program.handle,
      () => map.handle,
      () => map.memoryBytes(),
      () => map.lookup(new Uint8Array(4), new Uint8Array(8)),
      () => ring.consume(() => {}),
      () => each.load(),
    ];
    for (const use of uses) expect(thrown(use)).toMatchObject({ errno: ERRNO.EBADF });
  });

  it("runs once where repeat is 0, as the kernel does", () => {
    const each = opened();
    expect(each.programs.get("enter")!.run(new Uint8Array(64), { repeat: 0 }).returnValue).toBe(1);
    expect(runs(each)).toBe(1n);
  });

  it("runs on no CPU that the machine lacks", () => {
    const program = opened().programs.get("enter")!;
    const error = thrown(() => program.run(new Uint8Array(64), { cpu: backend.cpus }));
    expect(error.message).toMatch(/possible CPU/);
  });

  it("hears a hook while its link is open, beside other objects", () => {
    const [first, second] = [opened(), opened()];
    const links = [first, second].map((each) => each.programs.get("enter")!.attach());
    const replayer = newReplayer();
    fire(replayer);
    expect([runs(first), runs(second)]).toEqual([1n, 1n]);
    links[0]!.close();
    links[0]!.close();
    fire(replayer);
    expect([runs(first), runs(second)]).toEqual([1n, 2n]);
    first.close();
    fire(replayer);
    expect(runs(second)).toBe(3n);
    second.close();
    fire(replayer);
    expect(backend.instance.exports.replay_unattached()).toBe(1);
  });

  it("attached twice runs twice, and once more after one link closes", () => {
    const each = opened();
    const links = [0, 1].map(() => each.programs.get("enter")!.attach());
    const replayer = newReplayer();
    fire(replayer);
    expect(runs(each)).toBe(2n);
    links[1]!.close();
    fire(replayer);
    expect(runs(each)).toBe(3n);
  });

  it("replayers give back their memory", () => {
    const live = (): void => {
      const replayer = newReplayer();
      fire(replayer);
      replayer.close();
      replayer.close();
      expect(thrown(() => fire(replayer))).toMatchObject({ errno: ERRNO.EBADF });
    };
    live();
    const before = used();
    for (let i = 0; i < 5; i++) live();
    expect(used()).toBe(before);
  });
});

describe("an open backend", () => {
  it("keeps nothing of objects and maps that closed", async () => {
    const kernelTypes = readArtifact("wasm/kernel_types.bpf.o");
    backend = await createWasmBackend({ runtime, kernelTypes, memoryBytes: 16 << 20 });
    const closed = (): WeakRef<object>[] => {
      const each = opened();
      const map = backend.createMap(MAP);
      each.close();
      map.close();
      return [new WeakRef(each), new WeakRef(map)];
    };
    const gone = closed();
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    // What a WeakRef saw in this turn lives until its end.
    await new Promise((resolve) => setImmediate(resolve));
    collect();
    expect(gone.map((each) => each.deref())).toEqual([undefined, undefined]);
  });
});

describe("a closed backend", () => {
  it("closes what was opened, and answers EBADF", async () => {
    const kernelTypes = readArtifact("wasm/kernel_types.bpf.o");
    backend = await createWasmBackend({ runtime, kernelTypes, memoryBytes: 16 << 20 });
    const each = opened();
    const map = backend.createMap(MAP);
    backend.close();
    backend.close();
    const uses = [
      () => backend.open(object),
      () => backend.createMap(MAP),
      () => backend.now_ns(),
      () => map.handle,
      () => each.load(),
    ];
    for (const use of uses) expect(thrown(use)).toMatchObject({ errno: ERRNO.EBADF });
  });
});
