import { describe, expect, it } from "vitest";
import { BpfError } from "#core/errors.ts";
import { RuntimeInstance } from "#wasm/instance.ts";
import { loadRuntimeModule } from "#wasm/load_runtime.ts";

const wasm = await loadRuntimeModule();

describe("RuntimeInstance", () => {
  it("takes all its memory at once, so that views stay valid", async () => {
    const instance = await RuntimeInstance.create({ wasm, memoryBytes: 32 << 20 });
    expect(instance.u8.byteLength).toBe(32 << 20);
    const address = instance.alloc(16 << 20);
    instance.u8[address + (16 << 20) - 1] = 7;
    expect(instance.u8.byteLength).toBe(32 << 20);
    expect(instance.exports.memory.buffer).toBe(instance.u8.buffer);
    instance.free(address);
  });

  it("hands out zeroed memory after it was used and freed", async () => {
    const instance = await RuntimeInstance.create({ wasm });
    const first = instance.alloc(64);
    instance.u8.fill(0xff, first, first + 64);
    instance.free(first);
    const second = instance.alloc(64);
    expect(second).toBe(first);
    expect([...instance.u8.subarray(second, second + 64)].every((byte) => byte === 0)).toBe(true);
  });

  it("says ENOMEM when the simulated memory is used up", async () => {
    const instance = await RuntimeInstance.create({ wasm, memoryBytes: 4 << 20 });
    expect(() => instance.alloc(5 << 20)).toThrow(/ENOMEM/);
  });

  it.each([0, 65])("refuses %i CPUs", async (cpus) => {
    await expect(RuntimeInstance.create({ wasm, cpus })).rejects.toThrow(BpfError);
  });

  it("refuses to run a handle that names no program", async () => {
    const instance = await RuntimeInstance.create({ wasm });
    expect(() => instance.run(1, 0)).toThrow(/EBADF/);
  });
});
