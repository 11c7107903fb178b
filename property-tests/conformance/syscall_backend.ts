/**
 * The running kernel through the kernel process: what the models are measured against until the
 * kernel backend takes this place. Programs run but do not attach; no mapped memory.
 */

import type { Backend, BpfMap, BpfObject, MapSpec, OpenOptions } from "#core/backend.ts";
import { BpfError } from "#core/errors.ts";
import { valueBytesOf } from "#property-tests/models/map_model.ts";
import { KernelProcess } from "./kernel_process.ts";
import { OPERATION, record, u32Field } from "./kernel_request.ts";
import { possibleCpus } from "./possible_cpus.ts";
import { SyscallMap } from "./syscall_map.ts";
import { SyscallObject } from "./syscall_object.ts";

const NAME_BYTES = 16;

export class SyscallBackend implements Backend {
  readonly kind = "kernel";
  readonly engine = "jit";
  readonly cpus = possibleCpus();
  private readonly kernel = new KernelProcess();

  open(object: Uint8Array, options: OpenOptions = {}): BpfObject {
    return new SyscallObject(this.kernel, this.cpus, object, options);
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
      return new SyscallMap({
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

  close(): void {
    this.kernel.close();
  }
}
