/**
 * A simulated machine whose helpers are called straight from the test, as a program would: through the
 * function table, with r1 to r5.
 */
import { type HostFunctions, RuntimeInstance } from "#wasm/instance.ts";
import { loadRuntimeModule } from "#wasm/load_runtime.ts";

export const HELPER = {
  map_lookup_elem: 1,
  map_update_elem: 2,
  map_delete_elem: 3,
  probe_read: 4,
  ktime_get_ns: 5,
  trace_printk: 6,
  get_prandom_u32: 7,
  get_smp_processor_id: 8,
  tail_call: 12,
  get_current_pid_tgid: 14,
  get_current_uid_gid: 15,
  get_current_comm: 16,
  perf_event_output: 25,
  get_stackid: 27,
  get_current_task: 35,
  get_numa_node_id: 42,
  get_stack: 67,
  get_current_cgroup_id: 80,
  spin_lock: 93,
  spin_unlock: 94,
  strtol: 105,
  strtoul: 106,
  probe_read_user: 112,
  probe_read_kernel: 113,
  probe_read_user_str: 114,
  probe_read_kernel_str: 115,
  jiffies64: 118,
  get_ns_current_pid_tgid: 120,
  get_current_ancestor_cgroup_id: 123,
  ktime_get_boot_ns: 125,
  ringbuf_output: 130,
  ringbuf_reserve: 131,
  ringbuf_submit: 132,
  ringbuf_discard: 133,
  ringbuf_query: 134,
  task_storage_get: 156,
  task_storage_delete: 157,
  get_current_task_btf: 158,
  ktime_get_coarse_ns: 160,
  for_each_map_elem: 164,
  snprintf: 165,
  timer_init: 169,
  timer_set_callback: 170,
  timer_start: 171,
  timer_cancel: 172,
  get_func_ip: 173,
  get_attach_cookie: 174,
  trace_vprintk: 177,
  loop: 181,
  strncmp: 182,
  dynptr_from_mem: 197,
  ringbuf_reserve_dynptr: 198,
  ringbuf_submit_dynptr: 199,
  ringbuf_discard_dynptr: 200,
  dynptr_read: 201,
  dynptr_write: 202,
  dynptr_data: 203,
  ktime_get_tai_ns: 208,
  cgrp_storage_get: 210,
  cgrp_storage_delete: 211,
} as const;

export type HelperName = keyof typeof HELPER;
type HelperFunction = (r1: bigint, r2: bigint, r3: bigint, r4: bigint, r5: bigint) => bigint;
type Argument = number | bigint;

export interface MapShape {
  readonly type: number;
  readonly keySize?: number;
  readonly valueSize?: number;
  readonly maxEntries: number;
  readonly flags?: number;
  readonly lockOffset?: number;
  readonly timerOffset?: number;
  /** Whether BTF describes key and value, which storage maps insist on. */
  readonly typed?: boolean;
  /** Handle of the template of a map of maps. */
  readonly inner?: number;
}

export interface TestMap {
  readonly handle: number;
  readonly address: number;
}

/** A program written in JavaScript: gets r1 and r10, returns r0. */
type ProgramBody = (context: number, frame: number) => number | bigint;
/** A callback: r1 to r5. */
type CallbackBody = (...args: readonly number[]) => number | bigint;

const CALLBACK_MAGIC = 0x63616c6c;

export class Machine {
  readonly instance: RuntimeInstance;
  readonly printed: string[];
  readonly #functions = new Map<number, HelperFunction>();

  private constructor(instance: RuntimeInstance, printed: string[]) {
    this.instance = instance;
    this.printed = printed;
  }

  static async create(cpus = 4, host: HostFunctions = {}): Promise<Machine> {
    const printed: string[] = [];
    const wasm = await loadRuntimeModule();
    const memoryBytes = 16 << 20;
    const print = (text: string): void => void printed.push(text);
    const options = { wasm, memoryBytes, cpus, seed: 7, host: { print, ...host } };
    return new Machine(await RuntimeInstance.create(options), printed);
  }

  /** Calls a helper; r0 as a signed number. */
  call(name: HelperName, ...args: readonly Argument[]): number {
    return Number(BigInt.asIntN(64, this.call64(name, ...args)));
  }

  /** Calls a helper; r0 as it is. */
  call64(name: HelperName, ...args: readonly Argument[]): bigint {
    const id = HELPER[name];
    let helper = this.#functions.get(id);
    if (helper === undefined) {
      const { exports } = this.instance;
      const index = exports.rt_helper_index(id);
      if (index === 0) throw new Error(`there is no helper ${name}`);
      helper = exports.__indirect_function_table.get(index) as HelperFunction;
      this.#functions.set(id, helper);
    }
    const [r1 = 0n, r2 = 0n, r3 = 0n, r4 = 0n, r5 = 0n] = args.map(BigInt);
    const call = helper;
    return BigInt.asUintN(
      64,
      this.instance.guard(() => call(r1, r2, r3, r4, r5)),
    );
  }

  /** Memory that helpers accept, holding `bytes` or `size` zeroes. */
  memory(content: string | Uint8Array | number, writable = true): number {
    const bytes =
      typeof content === "number"
        ? new Uint8Array(content)
        : typeof content === "string"
          ? new TextEncoder().encode(content)
          : content;
    const address = this.instance.createContext(bytes.length, writable);
    this.instance.u8.set(bytes, address);
    return address;
  }

  bytes(address: number, length: number): Uint8Array {
    return this.instance.u8.slice(address, address + length);
  }

  /** The text before the first NUL. */
  text(address: number): string {
    const end = this.instance.u8.indexOf(0, address);
    return new TextDecoder().decode(this.instance.u8.subarray(address, end));
  }

  createMap(shape: MapShape): TestMap {
    const { exports, u32 } = this.instance;
    const spec = this.instance.alloc(44);
    const { type, keySize = 0, valueSize = 0, maxEntries, flags = 0 } = shape;
    const { lockOffset = -1, timerOffset = -1, inner = 0 } = shape;
    u32.set(
      [
        type,
        keySize,
        valueSize,
        maxEntries,
        flags,
        0,
        inner,
        lockOffset,
        timerOffset,
        shape.typed ? 1 : 0,
        0,
      ],
      spec / 4,
    );
    const handle = exports.rt_map_create(spec);
    this.instance.free(spec);
    if (handle < 0) throw new Error(`map creation answers ${handle}`);
    return { handle, address: exports.rt_map_address(handle) };
  }

  /** A program that `instance.run` runs; its handle. */
  program(body: ProgramBody): number {
    const { exports, u32 } = this.instance;
    const handle = exports.program_create(0);
    const entry = (_program: number, context: bigint, frame: bigint): bigint =>
      BigInt.asIntN(64, BigInt(body(Number(context), Number(frame))));
    const index = this.#tableIndex([I32, I64, I64], entry as (...args: never[]) => bigint);
    u32[exports.program_address(handle) / 4 + 4] = index;
    return handle;
  }

  /** Runs a program's body once on `cpu`; r0's low 32 bits, signed. */
  run(body: ProgramBody, cpu = 0): number {
    return this.instance.run(this.program(body), 0, cpu)! | 0;
  }

  /** What a program passes as callback: the address of a `struct rt_callback`. */
  callback(program: number, body: CallbackBody): number {
    const { exports, u32, view } = this.instance;
    const run = (_callback: number, args: number): bigint => {
      const registers = [0, 1, 2, 3, 4].map((i) => Number(view.getBigUint64(args + 8 * i, true)));
      return BigInt.asIntN(64, BigInt(body(...registers)));
    };
    const index = this.#tableIndex([I32, I32, I64], run as (...args: never[]) => bigint);
    const address = this.instance.alloc(16);
    u32.set([CALLBACK_MAGIC, exports.program_address(program), index, 0], address / 4);
    return address;
  }

  /** Puts a JavaScript function that returns an i64 into the function table. */
  #tableIndex(parameters: readonly number[], body: (...args: never[]) => bigint): number {
    const module = new WebAssembly.Module(new Uint8Array(wrapperModule(parameters)));
    const { f } = new WebAssembly.Instance(module, { m: { f: body } }).exports;
    const table = this.instance.exports.__indirect_function_table;
    const index = table.grow(1);
    table.set(index, f);
    return index;
  }

  setNow(ns: bigint): void {
    this.instance.view.setBigUint64(this.instance.exports.rt_clock_address(), ns, true);
  }
}

const I32 = 0x7f;
const I64 = 0x7e;

/** A module that imports `m.f`, which returns an i64, and exports it as a wasm function. */
function wrapperModule(parameters: readonly number[]): number[] {
  const type = [1, 0x60, parameters.length, ...parameters, 1, I64];
  const imports = [1, 1, 0x6d, 1, 0x66, 0, 0];
  const exported = [1, 1, 0x66, 0, 0];
  const section = (id: number, body: readonly number[]): number[] => [id, body.length, ...body];
  const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  return [...header, ...section(1, type), ...section(2, imports), ...section(7, exported)];
}
