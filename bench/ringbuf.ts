/**
 * Records per second of our ring reader in JavaScript beside a C program that does the same with
 * libbpf, on the same kernel, in turns: the ring is filled, then drained under the clock, and every
 * record's number is checked. Then both read along while records come at a steady rate.
 */
import { type ChildProcess, type StdioOptions, spawn, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import type { BpfObject, RecordBatch } from "#core/backend.ts";
import { BpfError } from "#core/errors.ts";
import { loadAddon } from "#kernel/addon.ts";
import { createKernelBackend, type KernelBackend } from "#kernel/backend.ts";
import { checkMachine } from "#kernel/probes.ts";
import { type Bench, machine, median } from "./bench.ts";
import type { ProducerData } from "./ringbuf_producer.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const OBJECT = "build/bench/ringbuf.bpf.o";
const PROGRAM = "build/bench/ringbuf";
const RECORD_BYTES = 128;
const RECORDS_PER_RUN_MAX = 512;
/** Fits the ring of 16 MiB. */
const RECORDS_PER_DRAIN = 100_000;
const PACED_RECORDS_PER_S = 100_000;
const PACED_S = 2;
const WARM_UP_DRAINS = 20;

interface Paced {
  readonly produced: number;
  readonly received: number;
  /** Counted by the program. */
  readonly lost: number;
  /** Counted by the reader, from the records' numbers. */
  readonly gaps: number;
}

function run(command: string, args: readonly string[]): string {
  const result = spawnSync(command, args, { cwd: ROOT, encoding: "utf8" });
  if (result.status === 0) return result.stdout;
  const reason = result.error?.message ?? result.stderr.trim().split("\n")[0]!;
  throw new BpfError("bench ringbuf", `${command} failed: ${reason}`, {
    hint: "install clang, gcc and libbpf-dev",
  });
}

function build(): void {
  mkdirSync(join(ROOT, "build/bench"), { recursive: true });
  const triplet = process.arch === "arm64" ? "aarch64-linux-gnu" : "x86_64-linux-gnu";
  const bpf = ["-target", "bpfel", "-mcpu=v3", "-g", "-O2", `-I/usr/include/${triplet}`];
  run("clang", [...bpf, "-c", "bench/ringbuf.bpf.c", "-o", OBJECT]);
  run("cc", ["-std=gnu11", "-O2", "bench/ringbuf.c", "-o", PROGRAM, "-lbpf", "-pthread"]);
}

/** The C program, which does one thing for each line that it reads. */
class Competitor {
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;

  constructor() {
    const numbers = [RECORDS_PER_DRAIN, PACED_RECORDS_PER_S, PACED_S].map(String);
    const stdio: StdioOptions = ["pipe", "pipe", "inherit"];
    this.#child = spawn(join(ROOT, PROGRAM), [OBJECT, ...numbers], { cwd: ROOT, stdio });
    this.#answers = createInterface(this.#child.stdout!)[Symbol.asyncIterator]();
  }

  async #ask(what: "drain" | "pace"): Promise<string> {
    this.#child.stdin!.write(`${what}\n`);
    const { done, value } = await this.#answers.next();
    if (done !== true) return value;
    throw new BpfError("bench ringbuf", "the C program ended early", {
      hint: "its message stands above",
    });
  }

  /** Nanoseconds of CPU time. */
  async drain(): Promise<number> {
    return Number(await this.#ask("drain"));
  }

  async readAlong(): Promise<Paced> {
    return JSON.parse(await this.#ask("pace")) as Paced;
  }

  close(): void {
    this.#child.stdin!.end();
  }
}

/** Counts records and what is missing between them. */
class Reader {
  received = 0;
  gaps = 0;
  #last = 0;

  readonly receive = ({ view, offsets, count }: RecordBatch): void => {
    let last = this.#last;
    let gaps = 0;
    for (let i = 0; i < count; i++) {
      const number = view.getUint32(offsets[i]!, true);
      gaps += (number - last - 1) >>> 0;
      last = number;
    }
    this.#last = last;
    this.gaps += gaps;
    this.received += count;
  };
}

/** Nanoseconds of this thread's CPU time that draining a full ring takes. */
function drain(object: BpfObject, reader: Reader): number {
  const ring = object.maps.get("ring")!.ring();
  const program = object.programs.get("produce")!;
  for (let left = RECORDS_PER_DRAIN; left > 0; left -= RECORDS_PER_RUN_MAX) {
    const wanted = new BigUint64Array([BigInt(Math.min(left, RECORDS_PER_RUN_MAX))]);
    program.run(new Uint8Array(wanted.buffer));
  }
  const { threadCpuTime } = loadAddon();
  const started_ns = threadCpuTime();
  const records = ring.consume(reader.receive);
  const elapsed_ns = threadCpuTime() - started_ns;
  if (records !== RECORDS_PER_DRAIN) throw new Error(`${records} records instead of all`);
  return elapsed_ns;
}

async function readAlong(object: BpfObject, reader: Reader): Promise<Paced> {
  const ring = object.maps.get("ring")!.ring();
  const counters = new BigUint64Array(object.maps.get(".bss")!.memory().slice().buffer, 0, 2);
  const received = reader.received;
  const gaps = reader.gaps;
  const workerData: ProducerData = {
    program: object.programs.get("produce")!.handle,
    records_per_s: PACED_RECORDS_PER_S,
    duration_s: PACED_S,
    recordsPerRunMax: RECORDS_PER_RUN_MAX,
  };
  const worker = new Worker(new URL("ringbuf_producer.ts", import.meta.url), { workerData });
  let finished = false;
  const ended = new Promise<void>((resolve, reject) => {
    worker.once("message", () => resolve());
    worker.once("error", reject);
  }).finally(() => {
    finished = true;
  });
  while (!finished) {
    await Promise.race([ring.wait(100), ended]);
    ring.consume(reader.receive);
  }
  await ended;
  ring.consume(reader.receive);
  const now = new BigUint64Array(object.maps.get(".bss")!.memory().slice().buffer, 0, 2);
  return {
    produced: Number(now[0]! - counters[0]!),
    received: reader.received - received,
    lost: Number(now[1]! - counters[1]!),
    gaps: reader.gaps - gaps,
  };
}

export const ringbufBench: Bench = {
  rounds: 50,
  async run({ rounds }) {
    const failed = checkMachine().find(({ ok }) => !ok);
    if (failed !== undefined) {
      throw new BpfError("bench ringbuf", `needs the kernel backend: ${failed.name}`, {
        hint: failed.detail,
      });
    }
    build();
    const backend = createKernelBackend();
    const competitor = new Competitor();
    try {
      return await measure(backend, competitor, rounds);
    } finally {
      competitor.close();
      backend.close();
    }
  },
};

async function measure(
  backend: KernelBackend,
  competitor: Competitor,
  rounds: number,
): Promise<Record<string, unknown>> {
  const object = backend.open(readFileSync(join(ROOT, OBJECT)), { name: "ringbuf.bpf.o" });
  object.load();
  const reader = new Reader();
  for (let i = 0; i < WARM_UP_DRAINS; i++) drain(object, reader);
  const ours: number[] = [];
  const theirs: number[] = [];
  // In turns, so that whatever else the machine does meets both alike.
  for (let round = 0; round < rounds; round++) {
    ours.push(drain(object, reader));
    theirs.push(await competitor.drain());
  }
  const rate = (times_ns: readonly number[]): number =>
    Math.round((RECORDS_PER_DRAIN * 1e9) / median(times_ns));
  return {
    bench: "ringbuf",
    ratio_to_c: median(theirs.map((time_ns, i) => time_ns / ours[i]!)),
    records_per_s: rate(ours),
    c_records_per_s: rate(theirs),
    record_bytes: RECORD_BYTES,
    paced: {
      records_per_s: PACED_RECORDS_PER_S,
      ours: await readAlong(object, reader),
      c: await competitor.readAlong(),
    },
    rounds,
    method:
      `CPU time of draining ${RECORDS_PER_DRAIN} records from a full ring, each record's number ` +
      "read and checked; ours and C with libbpf's ring_buffer__consume in turns, median of the " +
      "rounds' ratios",
    machine: machine(),
  };
}
