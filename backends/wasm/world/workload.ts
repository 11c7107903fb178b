/**
 * Seeded workloads: what a small web server's machine would do, as blocks like a recording's. For
 * trying things and for tests; conclusions about a real machine need a real recording.
 */
import { BpfError } from "#core/errors.ts";
import { Xoshiro128 } from "#core/random/xoshiro128.ts";
import { LINUX_6_18_HOOKS } from "#core/trace/linux_hooks.ts";
import type { TraceBlock } from "#core/trace/reader.ts";
import type { HookLayout, TraceSchema } from "#core/trace/schema.ts";
import { commBytes, taskFacts } from "#core/trace/task_facts.ts";
import { BlockBuilder } from "./block_builder.ts";
import { EventQueue } from "./event_queue.ts";

export interface WorkloadOptions {
  readonly duration_s: number;
  readonly cpus: number;
  readonly seed: number;
}

export interface Workload {
  readonly schema: TraceSchema;
  readonly blocks: AsyncIterable<TraceBlock>;
}

/** Rates and shapes of a workload. */
interface WorkloadShape {
  readonly processes: number;
  readonly threadsPerProcess: number;
  readonly think_ns: number;
  readonly latencyMedian_ns: number;
  readonly latencySigma: number;
  /** Share of calls that wait, with a Pareto tail. */
  readonly slowShare: number;
  readonly errorShare: number;
  readonly connectionsPerSecond: number;
  readonly connectFailureShare: number;
  readonly connectionLife_ns: number;
  readonly retransmitsPerConnection: number;
}

const SHAPES: Readonly<Record<string, WorkloadShape>> = {
  default: {
    processes: 6,
    threadsPerProcess: 4,
    think_ns: 500_000,
    latencyMedian_ns: 3_000,
    latencySigma: 1.2,
    slowShare: 0.01,
    errorShare: 0.012,
    connectionsPerSecond: 400,
    connectFailureShare: 0.01,
    connectionLife_ns: 8_000_000,
    retransmitsPerConnection: 0.1,
  },
};

const TCP = { ESTABLISHED: 1, SYN_SENT: 2, SYN_RECV: 3, FIN_WAIT1: 4, FIN_WAIT2: 5, CLOSE: 7 };
const TCP_PASSIVE = { CLOSE_WAIT: 8, LAST_ACK: 9, LISTEN: 10 };
/** x86-64: read, write, epoll_wait, futex, openat, close, sendto, recvfrom. */
const SYSCALLS = [0, 1, 232, 202, 257, 3, 44, 45];
const ERRNOS = [2, 11, 104, 110];
const EPOCH_NS = 1_000_000_000;
const ROUND_TRIP_NS = 200_000;
const CGROUP_ID = 4242n;
/** Of every task. */
export const WORKLOAD_NAMESPACES = {
  pid: 4026531836,
  net: 4026531840,
  mnt: 4026531841,
  uts: 4026531838,
  ipc: 4026531839,
  cgroup: 4026531835,
  user: 4026531837,
};

const HOOKS: readonly HookLayout[] = Object.values(LINUX_6_18_HOOKS);

type Action = () => void;

/** Names of the workloads there are. */
export const WORKLOADS: readonly string[] = Object.keys(SHAPES);

/** Throws `BpfError` for an unknown name. */
export function createWorkload(name: string, options: WorkloadOptions): Workload {
  const shape = Object.hasOwn(SHAPES, name) ? SHAPES[name] : undefined;
  if (shape === undefined) {
    throw new BpfError(`workload ${name}`, "there is none of this name", {
      hint: `the workloads are ${WORKLOADS.join(", ")}`,
    });
  }
  const generator = new Generator(shape, options);
  return { schema: generator.schema, blocks: generator.blocks() };
}

class Generator {
  readonly schema: TraceSchema;
  readonly #shape: WorkloadShape;
  readonly #options: WorkloadOptions;
  readonly #random: Xoshiro128;
  readonly #queue = new EventQueue<Action>();
  readonly #builder = new BlockBuilder();
  readonly #hooks = new Map<
    string,
    { readonly layout: HookLayout; readonly at: Map<string, number> }
  >();
  readonly #end_ns: number;
  #now_ns = EPOCH_NS;
  #sockets = 0;

  constructor(shape: WorkloadShape, options: WorkloadOptions) {
    this.#shape = shape;
    this.#options = options;
    this.#random = new Xoshiro128(options.seed);
    this.#end_ns = EPOCH_NS + options.duration_s * 1e9;
    for (const layout of HOOKS) {
      const at = new Map(layout.fields.map((field) => [field.name, field.offset] as const));
      this.#hooks.set(layout.struct, { layout, at });
    }
    this.schema = {
      source: "generated",
      kernel: "simulated",
      machine: "x86_64",
      cpus: options.cpus,
      clock: "monotonic",
      taskFacts: ["pid", "tid", "uid", "gid", "cgroup_id", "namespaces", "comm"],
      hooks: [...HOOKS],
    };
  }

  async *blocks(): AsyncGenerator<TraceBlock, void, undefined> {
    yield { kind: "tasks", tasks: this.#tasks() };
    this.#start();
    while (this.#queue.size > 0 && this.#queue.nextTime_ns <= this.#end_ns) {
      this.#now_ns = Math.round(this.#queue.nextTime_ns);
      // The largest burst of one action is one record; leave room for it before it happens.
      if (!this.#builder.fits(this.#now_ns, 128)) {
        yield this.#builder.block();
        this.#builder.reset();
      }
      this.#queue.pop()();
    }
    if (this.#builder.count > 0) yield this.#builder.block();
  }

  get #threads(): number {
    return this.#shape.processes * this.#shape.threadsPerProcess;
  }

  #pid(process: number): number {
    return 1000 + 100 * process;
  }

  /** Slot 0 is the idle task, which network events on an idle CPU run in. */
  #tasks(): Extract<TraceBlock, { kind: "tasks" }>["tasks"] {
    const idle = {
      slot: 0,
      facts: taskFacts({ comm: commBytes("swapper/0"), namespaces: WORKLOAD_NAMESPACES }),
    };
    const threads = Array.from({ length: this.#threads }, (_, i) => {
      const process = Math.floor(i / this.#shape.threadsPerProcess);
      const pid = this.#pid(process);
      const tid = pid + (i % this.#shape.threadsPerProcess);
      const facts = { pid, tid, uid: process === 0 ? 0 : 33, gid: 33, cgroup_id: CGROUP_ID };
      const comm = commBytes(process === 0 ? "server" : `client-${process}`);
      return { slot: i + 1, facts: taskFacts({ ...facts, namespaces: WORKLOAD_NAMESPACES, comm }) };
    });
    return [idle, ...threads];
  }

  #start(): void {
    for (let thread = 0; thread < this.#threads; thread++) this.#thinkThenCall(thread);
    this.#after(this.#random.exponential(1e9 / this.#shape.connectionsPerSecond), () => {
      this.#connections();
    });
  }

  #after(delay_ns: number, action: Action): void {
    this.#queue.push(this.#now_ns + Math.max(1, Math.round(delay_ns)), action);
  }

  #record(
    struct: string,
    cpu: number,
    slot: number,
    fields: Readonly<Record<string, number>>,
  ): number {
    const { layout, at } = this.#hooks.get(struct)!;
    const offset = this.#builder.add(this.#now_ns, cpu, slot, layout.id, layout.size);
    for (const [name, value] of Object.entries(fields))
      this.#write(layout, offset + at.get(name)!, name, value);
    return offset;
  }

  #write(layout: HookLayout, at: number, name: string, value: number): void {
    const { view } = this.#builder;
    const size = layout.fields.find((field) => field.name === name)!.size;
    if (size === 8) view.setBigInt64(at, BigInt(value), true);
    else if (size === 4) view.setInt32(at, value, true);
    else if (size === 2) view.setUint16(at, value, true);
    else view.setUint8(at, value);
  }

  #thinkThenCall(thread: number): void {
    this.#after(this.#random.exponential(this.#shape.think_ns), () => this.#call(thread));
  }

  #call(thread: number): void {
    const random = this.#random;
    const cpu = random.below(this.#options.cpus);
    const id = SYSCALLS[random.below(SYSCALLS.length)]!;
    this.#record("trace_event_raw_sys_enter", cpu, thread + 1, { id });
    const slow = random.uniform() < this.#shape.slowShare;
    const latency_ns = slow
      ? Math.min(random.pareto(500_000, 1.1), 2e9)
      : random.lognormal(this.#shape.latencyMedian_ns, this.#shape.latencySigma);
    const failed = random.uniform() < this.#shape.errorShare;
    const ret = failed ? -ERRNOS[random.below(ERRNOS.length)]! : random.below(4096);
    this.#after(latency_ns, () => {
      this.#record("trace_event_raw_sys_exit", cpu, thread + 1, { id, ret });
      this.#thinkThenCall(thread);
    });
  }

  #connections(): void {
    this.#connect();
    this.#after(this.#random.exponential(1e9 / this.#shape.connectionsPerSecond), () => {
      this.#connections();
    });
  }

  /** One state change of one end of a connection. */
  #state(end: Endpoint, slot: number, oldstate: number, newstate: number): void {
    const cpu = this.#random.below(this.#options.cpus);
    const { sport, dport, skaddr } = end;
    const fields = { skaddr, oldstate, newstate, sport, dport, family: 2, protocol: 6 };
    const offset = this.#record("trace_event_raw_inet_sock_set_state", cpu, slot, fields);
    this.#addresses("trace_event_raw_inet_sock_set_state", offset, end);
  }

  #addresses(struct: string, offset: number, end: Endpoint): void {
    const at = this.#hooks.get(struct)!.at;
    const { contexts } = this.#builder;
    contexts.set([10, 77, 0, end.server ? 1 : 2], offset + at.get("saddr")!);
    contexts.set([10, 77, 0, end.server ? 2 : 1], offset + at.get("daddr")!);
  }

  #retransmit(end: Endpoint): void {
    const cpu = this.#random.below(this.#options.cpus);
    const { sport, dport, skaddr } = end;
    const fields = { skaddr, state: TCP.ESTABLISHED, sport, dport, family: 2 };
    const offset = this.#record("trace_event_raw_tcp_retransmit_skb", cpu, 0, fields);
    this.#addresses("trace_event_raw_tcp_retransmit_skb", offset, end);
  }

  /** A connection's life, one scheduled step after the other. */
  #connect(): void {
    const random = this.#random;
    const port = 32768 + (this.#sockets % 28_000);
    const address = 0x1000_0000 + 0x800 * this.#sockets++;
    const client = { skaddr: address, sport: port, dport: 8080, server: false };
    const server = { skaddr: address + 0x400, sport: 8080, dport: port, server: true };
    const slot = 1 + random.below(this.#threads);
    const half = (): number => random.exponential(ROUND_TRIP_NS / 2);
    this.#state(client, slot, TCP.CLOSE, TCP.SYN_SENT);
    if (random.uniform() < this.#shape.connectFailureShare) {
      this.#after(half(), () => this.#state(client, 0, TCP.SYN_SENT, TCP.CLOSE));
      return;
    }
    const life_ns = random.exponential(this.#shape.connectionLife_ns);
    this.#sequence([
      [half(), () => this.#state(server, 0, TCP_PASSIVE.LISTEN, TCP.SYN_RECV)],
      [half(), () => this.#state(client, 0, TCP.SYN_SENT, TCP.ESTABLISHED)],
      [half(), () => this.#state(server, 0, TCP.SYN_RECV, TCP.ESTABLISHED)],
      ...this.#retransmits(client, life_ns),
      [life_ns, () => this.#state(client, slot, TCP.ESTABLISHED, TCP.FIN_WAIT1)],
      [half(), () => this.#state(server, 0, TCP.ESTABLISHED, TCP_PASSIVE.CLOSE_WAIT)],
      [half(), () => this.#state(client, 0, TCP.FIN_WAIT1, TCP.FIN_WAIT2)],
      [half(), () => this.#state(server, 1, TCP_PASSIVE.CLOSE_WAIT, TCP_PASSIVE.LAST_ACK)],
      [half(), () => this.#state(client, 0, TCP.FIN_WAIT2, TCP.CLOSE)],
      [1, () => this.#state(server, 0, TCP_PASSIVE.LAST_ACK, TCP.CLOSE)],
    ]);
  }

  #retransmits(end: Endpoint, life_ns: number): (readonly [number, Action])[] {
    const lost = this.#random.uniform() < this.#shape.retransmitsPerConnection;
    return lost ? [[life_ns / 2, () => this.#retransmit(end)]] : [];
  }

  /** Runs the steps one after the other, each `delay` after the one before. */
  #sequence(steps: readonly (readonly [number, Action])[]): void {
    const [first, ...rest] = steps;
    if (first === undefined) return;
    this.#after(first[0], () => {
      first[1]();
      this.#sequence(rest);
    });
  }
}

interface Endpoint {
  readonly skaddr: number;
  readonly sport: number;
  readonly dport: number;
  readonly server: boolean;
}
