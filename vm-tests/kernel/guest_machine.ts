/** A guest as the differential suites see a real kernel. */
import type { Btf } from "#core/btf/btf.ts";
import { parseBtf } from "#core/btf/parse.ts";
import { BpfError } from "#core/errors.ts";
import type { RealKernel } from "#property-tests/conformance/differential.ts";
import type { KernelAnswer } from "#property-tests/isa/kernel.ts";
import { GuestBackend } from "./guest_backend.ts";
import { block, OPERATION, record, text } from "./kernel_request.ts";
import type { KernelServer } from "./kernel_server.ts";

const KERNEL_BTF = "/sys/kernel/btf/vmlinux";
/** Bits, errno and r0 stand before the text. */
const TEXT_AT = 16;

/** `enum bare_kind`. */
const RAN = 0;
const REFUSED = 1;

export class GuestMachine implements RealKernel {
  readonly backend: GuestBackend;
  private readonly kernel: KernelServer;

  constructor(kernel: KernelServer, cpus: number) {
    this.kernel = kernel;
    this.backend = new GuestBackend(kernel, cpus);
  }

  btf(): Btf {
    const { result, bytes } = this.kernel.ask(record(OPERATION.readFile, text(KERNEL_BTF)));
    if (result < 0) throw new BpfError(`read ${KERNEL_BTF}`, "refused", { errno: -result });
    return parseBtf(bytes.slice());
  }

  async runBare(program: Uint8Array, memory: Uint8Array): Promise<KernelAnswer> {
    const request = record(OPERATION.runBare, block(memory), block(program));
    const { result, bytes } = this.kernel.ask(request);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const log = new TextDecoder().decode(bytes.subarray(TEXT_AT));
    if (result === RAN) {
      return { kind: "ran", bits: view.getInt32(0, true), r0: view.getBigUint64(8, true) };
    }
    const errno = view.getInt32(4, true);
    if (result === REFUSED) return { kind: "refused", errno, log };
    throw new BpfError("run a bare program", `${log} failed`, { errno });
  }

  /** Leaves the guest running: it serves several suites. */
  close(): void {}
}
