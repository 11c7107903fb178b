/** Reads what programs send with `bpf_perf_event_output`: one buffer a CPU. */
import { BATCH_RECORDS } from "#contract/ring_base.ts";
import type { RecordBatchHandler } from "#core/backend.ts";
import { BpfError, ERRNO } from "#core/errors.ts";
import type { RuntimeInstance } from "./instance.ts";
import { WasmRing } from "./ring.ts";

/** Word offsets of `struct rt_perf_buffer` (`runtime/perf_buffer.h`). */
const LOST = 3;
const RING = 4;

export class PerfBuffer {
  readonly cpu: number;
  readonly #ring: WasmRing;
  readonly #instance: RuntimeInstance;
  readonly #buffer: number;

  /**
   * Opens CPU `cpu`'s buffer of the perf event array `handle`: `sizeBytes` is a power of two, a page at
   * least. From now on samples for that CPU are kept. Throws EBUSY where it is open already.
   */
  constructor(
    instance: RuntimeInstance,
    name: string,
    handle: number,
    cpu: number,
    sizeBytes: number,
  ) {
    const buffer = instance.exports.rt_perf_open(handle, cpu, sizeBytes, BATCH_RECORDS);
    if (buffer < 0) {
      throw new BpfError(`open perf buffer of map ${name}`, `CPU ${cpu}, ${sizeBytes} bytes`, {
        errno: -buffer,
        hint: buffer === -ERRNO.EBUSY ? "close the other reader" : "check map type, CPU and size",
      });
    }
    this.cpu = cpu;
    this.#instance = instance;
    this.#buffer = buffer;
    const ring = instance.u32[buffer / 4 + RING]!;
    this.#ring = new WasmRing(instance, name, ring, () => instance.exports.rt_perf_close(buffer));
  }

  /** As `RingReader.consume`. */
  consume(handler: RecordBatchHandler, maxRecords?: number): number {
    return this.#ring.consume(handler, maxRecords);
  }

  /** As `RingReader.wait`. */
  wait(timeout_ms: number): Promise<boolean> {
    return this.#ring.wait(timeout_ms);
  }

  /** Samples that found the buffer full. */
  lost(): number {
    this.#ring.availableBytes(); // throws once closed
    return this.#instance.u32[this.#buffer / 4 + LOST]!;
  }

  close(): void {
    this.#ring.close();
  }
}
