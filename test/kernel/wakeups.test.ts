/** When the reader of a ring is woken, as its settings say, changed while the program runs. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { setWakeupBytes } from "#core/rings/ring_settings.ts";
import { runnableOnRequest } from "#property-tests/conformance/differential_collectors.ts";
import { describeNative, withBackend } from "./native.ts";

const SECTIONS = ["tp/raw_syscalls/sys_enter", "tp/raw_syscalls/sys_exit"];
const RECORD_BYTES = 136;

describeNative("wake-ups", () => {
  it("come at the watermark and not before, at every event, or as the ring does", () =>
    withBackend(async (backend) => {
      const bytes = new Uint8Array(readFileSync("build/bpf/syscall_monitor.bpf.o"));
      const object = backend.open(runnableOnRequest(bytes, SECTIONS), {
        programs: ["syscall_enter", "syscall_exit"],
      });
      object.load();
      const ring = object.maps.get("events")!.ring();
      const program = object.programs.get("syscall_exit")!;
      const emit = (count: number) => program.run(new Uint8Array(64), { repeat: count });
      const drained = () => ring.consume(() => {});

      setWakeupBytes(object, 10 * RECORD_BYTES);
      expect(await ring.wait(1)).toBe(false);
      emit(9);
      expect(await ring.wait(50)).toBe(false);
      expect(ring.availableBytes()).toBe(9 * RECORD_BYTES);
      emit(1);
      expect(await ring.wait(5000)).toBe(true);
      expect(drained()).toBe(10);
      emit(9);
      expect(await ring.wait(50)).toBe(false);
      expect(drained()).toBe(9);

      setWakeupBytes(object, 1);
      emit(1);
      expect(await ring.wait(5000)).toBe(true);
      emit(1);
      expect(await ring.wait(5000)).toBe(true);
      expect(drained()).toBe(2);

      setWakeupBytes(object, 0);
      emit(1);
      expect(await ring.wait(5000)).toBe(true);
      ring.close();
      object.close();
    }));
});
