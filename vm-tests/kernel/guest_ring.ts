/** Reads a ring buffer of the running kernel, in the kernel process. */

import type { RecordBatchHandler, RingReader } from "#core/backend.ts";
import { BpfError, NotSupportedError } from "#core/errors.ts";
import { u32 } from "#property-tests/models/bytes.ts";
import { OPERATION, record, u32Field } from "./kernel_request.ts";
import type { KernelServer } from "./kernel_server.ts";

const POSITION_BYTES = 8;
const RECORDS_MAX = 0x7fffffff;

export class GuestRing implements RingReader {
  readonly sizeBytes: number;
  private readonly kernel: KernelServer;
  private readonly slot: Uint8Array;
  private closed = false;

  constructor(kernel: KernelServer, descriptor: number, sizeBytes: number) {
    this.kernel = kernel;
    this.sizeBytes = sizeBytes;
    const request = record(OPERATION.openRing, u32Field(descriptor), u32Field(sizeBytes));
    const { result } = kernel.ask(request);
    if (result < 0) throw new BpfError("open ring", "refused", { errno: -result });
    this.slot = u32Field(result);
  }

  consume(handler: RecordBatchHandler, maxRecords = RECORDS_MAX): number {
    const request = record(OPERATION.peekRing, this.slot, u32Field(maxRecords));
    const { result: count, bytes } = this.kernel.ask(request);
    const buffer = bytes.slice();
    const offsets = new Uint32Array(count);
    const lengths = new Uint32Array(count);
    let at = POSITION_BYTES;
    for (let index = 0; index < count; index += 1) {
      lengths[index] = u32(buffer, at);
      offsets[index] = at + 4;
      at += 4 + lengths[index]!;
    }
    const view = new DataView(buffer.buffer);
    if (count > 0) handler({ buffer, view, offsets, lengths, count });
    const position = buffer.slice(0, POSITION_BYTES);
    this.kernel.ask(record(OPERATION.advanceRing, this.slot, position));
    return count;
  }

  availableBytes(): number {
    return this.kernel.ask(record(OPERATION.ringAvailable, this.slot)).result;
  }

  wait(): Promise<boolean> {
    throw new NotSupportedError("waiting for a ring of another process", "");
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.kernel.ask(record(OPERATION.closeRing, this.slot));
  }
}
