/**
 * A guest's kernel through its kernel process. Programs run and attach to what their section says; no
 * mapped memory.
 */

import type { Backend, BpfMap, BpfObject, MapSpec, OpenOptions } from "#core/backend.ts";
import { BpfError } from "#core/errors.ts";
import { valueBytesOf } from "#property-tests/models/map_model.ts";
import { GuestMap } from "./guest_map.ts";
import { GuestObject } from "./guest_object.ts";
import { OPERATION, record, u32Field } from "./kernel_request.ts";
import type { KernelServer } from "./kernel_server.ts";

const NAME_BYTES = 16;

export class GuestBackend implements Backend {
  readonly kind = "kernel";
  readonly engine = "jit";
  readonly cpus: number;
  private readonly kernel: KernelServer;

  /** `cpus`: possible CPUs of the guest. */
  constructor(kernel: KernelServer, cpus: number) {
    this.kernel = kernel;
    this.cpus = cpus;
  }

  open(object: Uint8Array, options: OpenOptions = {}): BpfObject {
    return new GuestObject(this.kernel, this.cpus, object, options);
  }

  createMap(spec: MapSpec): BpfMap {
    const template = spec.inner === undefined ? undefined : this.createMap(spec.inner);
    try {
      const name = new Uint8Array(NAME_BYTES);
      new TextEncoder().encodeInto(spec.name, name.subarray(0, NAME_BYTES - 1));
      const { type, keySize, valueSize, maxEntries, flags } = spec;
      const sizes = [type, keySize, valueSize, maxEntries, flags >>> 0, template?.handle ?? 0];
      const { result } = this.kernel.ask(record(OPERATION.create, ...sizes.map(u32Field), name));
      if (result < 0) throw new BpfError(`create map ${spec.name}`, "refused", { errno: -result });
      return new GuestMap({
        kernel: this.kernel,
        spec,
        descriptor: result,
        valueBytes: valueBytesOf(spec, this.cpus),
        ownsDescriptor: true,
      });
    } finally {
      template?.close();
    }
  }

  now_ns(): bigint {
    return process.hrtime.bigint();
  }

  /** Leaves the guest running: it serves several suites. */
  close(): void {}
}
