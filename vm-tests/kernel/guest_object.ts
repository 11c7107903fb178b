/** A BPF object in the running kernel, through libbpf in the kernel process. */

import type {
  BpfMap,
  BpfObject,
  Link,
  OpenOptions,
  Program,
  ProgramInfo,
  RunOptions,
  RunResult,
} from "#core/backend.ts";
import type { Btf } from "#core/btf/btf.ts";
import { BpfError, ERRNO, NotSupportedError, VerifierError } from "#core/errors.ts";
import { u32 } from "#property-tests/models/bytes.ts";
import { valueBytesOf } from "#property-tests/models/map_model.ts";
import { GuestMap } from "./guest_map.ts";
import { block, OPERATION, record, text, u32Field } from "./kernel_request.ts";
import type { KernelServer } from "./kernel_server.ts";

export class GuestObject implements BpfObject {
  readonly name: string;
  readonly programs = new Map<string, Program>();
  readonly maps = new Map<string, BpfMap>();
  private readonly kernel: KernelServer;
  private readonly cpus: number;
  private readonly object: Uint8Array;
  private readonly options: OpenOptions;
  private slot: number | undefined;

  constructor(kernel: KernelServer, cpus: number, object: Uint8Array, options: OpenOptions) {
    this.kernel = kernel;
    this.cpus = cpus;
    this.object = object;
    this.options = options;
    this.name = options.name ?? "object";
  }

  get btf(): Btf {
    throw new NotSupportedError("BTF of an object in the kernel process", "");
  }

  load(): void {
    if (this.options.constants !== undefined) {
      throw new NotSupportedError("constants of an object in the kernel process", "");
    }
    const overrides = Object.entries(this.options.maxEntries ?? {});
    const programs = this.options.programs ?? [];
    const answer = this.kernel.ask(
      record(
        OPERATION.openObject,
        block(this.object),
        u32Field(overrides.length),
        ...overrides.flatMap(([name, entries]) => [text(name), u32Field(entries)]),
        u32Field(programs.length),
        ...programs.map(text),
      ),
    );
    const lines = new TextDecoder().decode(answer.bytes);
    if (answer.result < 0) {
      const problem = lines.trim().split("\n").at(-1) || "refused";
      throw new VerifierError(this.name, problem, lines, { errno: -answer.result });
    }
    this.slot = answer.result;
    for (const line of lines.trim().split("\n")) this.take(line.split(" "));
  }

  close(): void {
    if (this.slot === undefined) return;
    for (const map of this.maps.values()) map.close();
    this.kernel.ask(record(OPERATION.closeObject, u32Field(this.slot)));
    this.slot = undefined;
  }

  /** One line of what the kernel process says an object holds. */
  private take([what, name, ...fields]: readonly string[]): void {
    if (what === "program") {
      const descriptor = Number(fields[0]);
      const section = fields.slice(1).join(" ");
      this.programs.set(
        name!,
        new GuestProgram(this.kernel, this.slot!, name!, section, descriptor),
      );
      return;
    }
    const [descriptor, type, keySize, valueSize, maxEntries, flags] = fields.map(Number);
    const spec = {
      name: name!,
      type: type!,
      keySize: keySize!,
      valueSize: valueSize!,
      maxEntries: maxEntries!,
      flags: flags!,
    };
    const map = new GuestMap({
      kernel: this.kernel,
      spec,
      descriptor: descriptor!,
      valueBytes: valueBytesOf(spec, this.cpus),
      ownsDescriptor: false,
    });
    this.maps.set(name!, map);
  }
}

class GuestProgram implements Program {
  readonly name: string;
  readonly section: string;
  readonly kind = "raw_tracepoint";
  readonly handle: number;
  private readonly kernel: KernelServer;
  private readonly object: number;

  constructor(kernel: KernelServer, object: number, name: string, section: string, handle: number) {
    this.kernel = kernel;
    this.object = object;
    this.name = name;
    this.section = section;
    this.handle = handle;
  }

  attach(): Link {
    const { kernel, object, name, section } = this;
    const { result, bytes } = kernel.ask(record(OPERATION.attach, u32Field(object), text(name)));
    if (result < 0) {
      const said = new TextDecoder().decode(bytes).trim().split("\n").at(-1) || "refused";
      throw new BpfError(`attach ${name}`, said, { errno: -result });
    }
    let open = true;
    return {
      description: section,
      close: () => {
        if (open) kernel.ask(record(OPERATION.detach, u32Field(result)));
        open = false;
      },
    };
  }

  run(context: Uint8Array, options: RunOptions = {}): RunResult {
    const { cpu, repeat = 1 } = options;
    const cpuFields = [u32Field(cpu === undefined ? 0 : 1), u32Field(cpu ?? 0)];
    const request = record(
      OPERATION.runProgram,
      u32Field(this.handle),
      ...cpuFields,
      block(context),
    );
    let returnValue = 0;
    for (let runs = 0; runs < repeat; runs += 1) {
      const { result, bytes } = this.kernel.ask(request);
      if (result < 0) throw new BpfError(`run ${this.name}`, "refused", { errno: -result });
      returnValue = u32(bytes);
    }
    return { returnValue, duration_ns: 0 };
  }

  info(): ProgramInfo {
    throw new BpfError(`info of ${this.name}`, "not offered", { errno: ERRNO.EOPNOTSUPP });
  }
}
