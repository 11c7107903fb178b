/**
 * The real kernel behind the backend contract: Linux 5.10 or newer, through libbpf. Needs
 * CAP_BPF and CAP_PERFMON (CAP_SYS_ADMIN before 5.8); `checkMachine` (`probes.ts`) says what is missing.
 */
import { existsSync, readlinkSync } from "node:fs";
import { basename } from "node:path";
import { checkMapNumbers } from "#contract/map_calls.ts";
import { describeSpec } from "#contract/map_errors.ts";
import type { Backend, MapSpec, OpenOptions } from "#core/backend.ts";
import { BpfError, ERRNO } from "#core/errors.ts";
import { kernelName } from "#wasm/loader/global_data.ts";
import { parseObject } from "#wasm/loader/object_spec.ts";
import { type Addon, loadAddon, type NativeDescriptor } from "./addon.ts";
import { KernelMap } from "./map.ts";
import { KernelObject } from "./object.ts";
import { openPinned } from "./pin.ts";
import { bpfHint, CAPABILITY, hasCapability } from "./privileges.ts";
import { KERNEL_BTF, kernelEngine } from "./probes.ts";

export interface KernelBackendOptions {
  /** File with the running kernel's BTF, for CO-RE, where the kernel offers none. */
  readonly kernelBtf?: string;
}

/** Throws `NotSupportedError` where this machine has no addon. Permissions show with the first use. */
export function createKernelBackend(options: KernelBackendOptions = {}): KernelBackend {
  return new KernelBackend(loadAddon(), options);
}

export class KernelBackend implements Backend {
  readonly kind = "kernel";
  readonly engine: string;
  readonly cpus: number;
  readonly #addon: Addon;
  readonly #kernelBtf: string;
  readonly #objects = new Set<KernelObject>();
  readonly #maps = new Set<KernelMap>();
  #statistics: NativeDescriptor | undefined;
  #closed = false;

  /** Use `createKernelBackend`. */
  constructor(addon: Addon, options: KernelBackendOptions) {
    this.#addon = addon;
    this.#kernelBtf = options.kernelBtf ?? defaultBtf();
    this.engine = kernelEngine();
    this.cpus = addon.possibleCpus();
  }

  open(object: Uint8Array, options: OpenOptions = {}): KernelObject {
    this.#checkOpen("open object");
    const spec = parseObject(object, options.name ?? "object");
    const { cpus } = this;
    const opened = new KernelObject(this.#addon, cpus, object, spec, options, this.#kernelBtf);
    this.#objects.add(opened);
    opened.onClose = () => this.#objects.delete(opened);
    return opened;
  }

  createMap(spec: MapSpec): KernelMap {
    this.#checkOpen("create map");
    checkMapNumbers(spec);
    const template = spec.inner === undefined ? undefined : this.#createDescriptor(spec.inner, 0);
    try {
      return this.#own(spec, this.#createDescriptor(spec, template?.number() ?? 0));
    } finally {
      // The map keeps the template's shape, not the template.
      template?.close();
    }
  }

  /** The map that was pinned at `path`, with the shape that the kernel reports; `name` is for messages. */
  openPinnedMap(path: string, name: string = basename(path)): KernelMap {
    this.#checkOpen("open pinned map");
    const descriptor = openPinned(this.#addon, path);
    const fd = descriptor.number();
    const isMap = readlinkSync(`/proc/self/fd/${fd}`) === "anon_inode:bpf-map";
    const shape = isMap ? this.#addon.descriptorShape(fd) : -ERRNO.EINVAL;
    if (typeof shape === "number") {
      descriptor.close();
      throw new BpfError(`open what is pinned at ${path}`, "it is no map", {
        errno: ERRNO.EINVAL,
        hint: "name the file of a map",
      });
    }
    const [type, keySize, valueSize, maxEntries, flags] = shape;
    return this.#own({ name, type, keySize, valueSize, maxEntries, flags }, descriptor);
  }

  #own(spec: MapSpec, descriptor: NativeDescriptor): KernelMap {
    const map = new KernelMap(this.#addon, spec, descriptor, this.cpus);
    this.#maps.add(map);
    map.onClose = () => this.#maps.delete(map);
    return map;
  }

  #createDescriptor(spec: MapSpec, inner: number): NativeDescriptor {
    const { type, keySize, valueSize, maxEntries, flags } = spec;
    const name = kernelName(spec.name);
    const map = this.#addon.createMap(name, type, keySize, valueSize, maxEntries, flags, inner);
    if (typeof map !== "number") return map;
    throw new BpfError(`create map ${spec.name}`, describeSpec(spec), {
      errno: -map,
      hint: bpfHint(-map) ?? "check type, sizes and flags",
    });
  }

  /**
   * Has the kernel count runs and their time for every program of the machine, as long as this
   * backend is open. Costs each run some 20 ns. Linux 5.8.
   */
  enableStatistics(): void {
    this.#checkOpen("enable statistics");
    if (this.#statistics !== undefined) return;
    const descriptor = this.#addon.enableStatistics();
    if (typeof descriptor === "number") {
      throw new BpfError("enable statistics", "the kernel refuses to count runs", {
        errno: -descriptor,
        hint: bpfHint(-descriptor) ?? "needs Linux 5.8 and CAP_SYS_ADMIN",
      });
    }
    this.#statistics = descriptor;
  }

  /**
   * The number that programs know this process by: that of the initial PID namespace. In a container
   * it differs from `process.pid`.
   */
  processId(): number {
    const id = this.#addon.ownProcessId();
    return id > 0 ? id : process.pid;
  }

  now_ns(): bigint {
    return process.hrtime.bigint();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const object of [...this.#objects]) object.close();
    for (const map of [...this.#maps]) map.close();
    this.#statistics?.close();
  }

  #checkOpen(operation: string): void {
    if (this.#closed)
      throw new BpfError(operation, "the backend is closed", { errno: ERRNO.EBADF });
  }
}

/**
 * libbpf looks at the BTF of modules, too, which takes CAP_SYS_ADMIN, and gives up where it may not.
 * Told which file to use, it does without them.
 */
function defaultBtf(): string {
  const mayLookAtModules = hasCapability(CAPABILITY.SYS_ADMIN);
  return mayLookAtModules || !existsSync(KERNEL_BTF) ? "" : KERNEL_BTF;
}
