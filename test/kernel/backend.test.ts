/** The kernel backend: objects, programs, maps and errors, on the running kernel. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { Session } from "node:inspector/promises";
import { expect, it } from "vitest";
import { MAP_FLAG, MAP_TYPE } from "#core/backend.ts";
import { BpfError, ERRNO, NotSupportedError, VerifierError } from "#core/errors.ts";
import { compileBpf } from "../support/clang.ts";
import { thrown } from "../support/thrown.ts";
import { describeNative, withBackend } from "./native.ts";

const RING_OBJECT = () => compileBpf("test/kernel/ring.bpf.c");

/** A context of raw tracepoint arguments. */
function argumentsOf(...values: number[]): Uint8Array {
  const words = new BigUint64Array(values.map(BigInt));
  return new Uint8Array(words.buffer);
}

const REJECTED = `
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
SEC("raw_tp/native_test")
int reads_anywhere(struct bpf_raw_tracepoint_args *context)
{
	return *(volatile int *)context->args[0];
}
char LICENSE[] SEC("license") = "GPL";
`;

const PACKET = `
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
SEC("xdp")
int first_byte(struct xdp_md *packet)
{
	unsigned char *data = (void *)(long)packet->data;
	if ((void *)(data + 1) > (void *)(long)packet->data_end)
		return 0;
	data[0]++;
	return data[0];
}
char LICENSE[] SEC("license") = "GPL";
`;

describeNative("objects", () => {
  it("start without maps, have them after load, and refuse a second load", () =>
    withBackend((backend) => {
      const object = backend.open(RING_OBJECT(), { name: "ring" });
      expect(object.maps.size).toBe(0);
      expect(thrown(() => object.programs.get("produce")!.handle)).toMatchObject({
        errno: ERRNO.EBADF,
      });
      object.load();
      expect([...object.maps.keys()].sort()).toEqual([".bss", ".rodata", "counters", "ring"]);
      expect(thrown(() => object.load()).errno).toBe(ERRNO.EBUSY);
    }));

  it("closing twice is nothing; use after close is EBADF", () =>
    withBackend((backend) => {
      const object = backend.open(RING_OBJECT());
      object.load();
      const map = object.maps.get("counters")!;
      const program = object.programs.get("produce")!;
      object.close();
      object.close();
      expect(thrown(() => map.lookup(new Uint8Array(4), new Uint8Array(8))).errno).toBe(
        ERRNO.EBADF,
      );
      expect(thrown(() => program.run(new Uint8Array(8))).errno).toBe(ERRNO.EBADF);
      expect(thrown(() => object.load()).errno).toBe(ERRNO.EBADF);
    }));

  it("take constants, sizes of maps and a choice of programs", () =>
    withBackend((backend) => {
      const object = backend.open(RING_OBJECT(), {
        constants: { first_number: 1000 },
        maxEntries: { ring: 8192, counters: 9 },
        programs: ["produce"],
      });
      object.load();
      expect(object.maps.get("counters")!.spec.maxEntries).toBe(9);
      expect(object.maps.get("ring")!.ring().sizeBytes).toBe(8192);
      object.programs.get("produce")!.run(argumentsOf(1, 0, 0));
      const numbers: bigint[] = [];
      object.maps
        .get("ring")!
        .ring()
        .consume(({ view, offsets }) => {
          numbers.push(view.getBigUint64(offsets[0]!, true));
        });
      expect(numbers).toEqual([1000n]);
    }));

  it("refuse unknown constants and programs as the wasm backend does", () =>
    withBackend((backend) => {
      const open = (options: object) => () => backend.open(RING_OBJECT(), options);
      expect(thrown(open({ constants: { absent: 1 } })).errno).toBe(ERRNO.ENOENT);
      expect(thrown(open({ programs: ["absent"] })).errno).toBe(ERRNO.ENOENT);
      expect(thrown(open({ constants: { first_number: new Uint8Array(3) } })).errno).toBe(
        ERRNO.EINVAL,
      );
    }));

  it("of another endianness, and of no format at all, are refused in one line", () =>
    withBackend((backend) => {
      const big = compileBpf("int answer = 42;\n", ["-target", "bpfeb"]);
      for (const bytes of [big, new Uint8Array(0), new Uint8Array(100).fill(7)]) {
        const error = thrown(() => backend.open(bytes));
        expect(error.message).not.toContain("\n");
        expect(error.operation).toBe("open object");
      }
    }));

  it("load while signals arrive all the time, as under a profiler", () =>
    withBackend(async (backend) => {
      const bytes = readFileSync("build/bpf/syscall_monitor.bpf.o");
      const session = new Session();
      session.connect();
      await session.post("Profiler.enable");
      await session.post("Profiler.setSamplingInterval", { interval: 100 });
      await session.post("Profiler.start");
      try {
        for (let i = 0; i < 5; i++) {
          const object = backend.open(bytes);
          object.load();
          object.close();
        }
      } finally {
        await session.post("Profiler.stop");
        session.disconnect();
      }
    }));

  it("that the verifier rejects say its last useful line and keep the whole log", () =>
    withBackend((backend) => {
      const object = backend.open(compileBpf(REJECTED));
      const error = thrown(() => object.load());
      expect(error).toBeInstanceOf(VerifierError);
      expect(error.errno).toBe(ERRNO.EACCES);
      expect(error.message).toMatch(
        /^load program reads_anywhere: R\d invalid mem access 'scalar' \(\d+ lines omitted\) \(EACCES\)$/,
      );
      const { log } = error as VerifierError;
      expect(log).toContain("processed");
      expect(log.split("\n").length).toBeGreaterThan(4);
      expect(thrown(() => object.load()).errno).toBe(ERRNO.EBADF);
    }));
});

describeNative("programs", () => {
  it("run on the CPU that was asked for, and an impossible CPU is refused", () =>
    withBackend((backend) => {
      const object = backend.open(
        compileBpf(`
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
SEC("raw_tp/native_test")
int cpu(void *context) { return bpf_get_smp_processor_id(); }
char LICENSE[] SEC("license") = "GPL";
`),
      );
      object.load();
      const program = object.programs.get("cpu")!;
      for (let cpu = 0; cpu < backend.cpus; cpu++) {
        expect(program.run(new Uint8Array(8), { cpu }).returnValue).toBe(cpu);
      }
      expect(thrown(() => program.run(new Uint8Array(8), { cpu: 4095 }))).toBeInstanceOf(BpfError);
    }));

  it("of packet kinds run over bytes and change them", () =>
    withBackend((backend) => {
      const object = backend.open(compileBpf(PACKET));
      object.load();
      const packet = new Uint8Array(64).fill(41);
      const result = object.programs.get("first_byte")!.run(packet, { repeat: 1 });
      expect(result.returnValue).toBe(42);
      expect(packet[0]).toBe(42);
    }));

  it("that the kernel cannot run on request say so", () =>
    withBackend((backend) => {
      const object = backend.open(new Uint8Array(readFileSync("build/bpf/syscall_monitor.bpf.o")));
      object.load();
      const run = () => object.programs.get("syscall_enter")!.run(new Uint8Array(64));
      expect(thrown(run)).toBeInstanceOf(NotSupportedError);
    }));

  it("count runs while statistics are enabled", () =>
    withBackend((backend) => {
      backend.enableStatistics();
      const object = backend.open(RING_OBJECT());
      object.load();
      const program = object.programs.get("produce")!;
      const before = program.info().runCount;
      program.run(argumentsOf(0, 0, 0), { repeat: 5 });
      const { runCount, runTime_ns, verifiedInstructions, memoryBytes } = program.info();
      // The kernel counts triggered runs; requested ones only since some versions.
      expect(runCount).toBeGreaterThanOrEqual(before);
      expect(runTime_ns).toBeGreaterThanOrEqual(0);
      expect(verifiedInstructions).toBeGreaterThan(0);
      expect(memoryBytes).toBeGreaterThan(0);
    }));
});

describeNative("the process's own number", () => {
  const SCRIPT = `
    const { createKernelBackend } = await import("#kernel/backend.ts");
    console.log(process.pid, createKernelBackend().processId());
  `;
  const numbers = (command: string, ...args: string[]): number[] => {
    const node = [process.execPath, "--input-type=module", "-e", SCRIPT];
    const output = execFileSync(command, [...args, ...node], { encoding: "utf8" });
    return output.trim().split(" ").map(Number);
  };

  it("is what programs see: in a PID namespace, not what the process itself sees", () => {
    const [own, seen] = numbers("unshare", "--pid", "--fork");
    expect(own).toBe(1);
    expect(seen).toBeGreaterThan(1);
  });
});

describeNative("mapped memory", () => {
  it("is shared with running programs", () =>
    withBackend((backend) => {
      const object = backend.open(RING_OBJECT());
      object.load();
      const counters = object.maps.get("counters")!;
      const numbers = new BigUint64Array(counters.memory().buffer);
      numbers[0] = 100n;
      object.programs.get("produce")!.run(argumentsOf(3, 0, 0));
      expect(numbers[0]).toBe(103n);
    }));

  it("is empty after close, and reading a view of it is no crash", () =>
    withBackend((backend) => {
      const spec = {
        name: "shared",
        type: MAP_TYPE.array,
        keySize: 4,
        valueSize: 8,
        maxEntries: 8,
      };
      const map = backend.createMap({ ...spec, flags: MAP_FLAG.MMAPABLE });
      const memory = map.memory();
      expect(memory.length).toBe(64);
      memory[0] = 5;
      map.close();
      expect(memory.length).toBe(0);
      expect(memory[0]).toBeUndefined();
    }));

  it("that was moved to another buffer stays readable after close", () =>
    withBackend((backend) => {
      const spec = {
        name: "shared",
        type: MAP_TYPE.array,
        keySize: 4,
        valueSize: 8,
        maxEntries: 8,
      };
      const map = backend.createMap({ ...spec, flags: MAP_FLAG.MMAPABLE });
      const memory = map.memory();
      memory[0] = 5;
      const moved = (memory.buffer as ArrayBuffer).transfer();
      map.close();
      expect(new Uint8Array(moved)[0]).toBe(5);
    }));

  it("of a map without MMAPABLE is EINVAL or ENOTSUPP with a remedy", () =>
    withBackend((backend) => {
      const spec = { name: "plain", type: MAP_TYPE.array, keySize: 4, valueSize: 8, maxEntries: 8 };
      const error = thrown(() => backend.createMap({ ...spec, flags: 0 }).memory());
      expect(error.hint).toContain("MMAPABLE");
    }));

  it("of frozen constants is a copy", () =>
    withBackend((backend) => {
      const object = backend.open(RING_OBJECT(), { constants: { first_number: 77 } });
      object.load();
      const memory = object.maps.get(".rodata")!.memory();
      expect(memory[0]).toBe(77);
      memory[0] = 1;
      expect(
        thrown(() => object.maps.get(".rodata")!.update(new Uint8Array(4), memory)).errno,
      ).toBe(ERRNO.EPERM);
    }));
});
