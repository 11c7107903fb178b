/** The variants of each collector's programs, all attached at once: every one of them tells the same events. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { RecordBatch } from "#core/backend.ts";
import { DEFAULT_CONFIG } from "#core/config/config.ts";
import {
  COLLECTORS,
  type CollectorSpec,
  HOOK_KINDS,
  type HookSpec,
} from "#core/events/collectors.ts";
import { type EventObject, eventObject } from "#core/events/event_json.ts";
import type { EventSchema } from "#core/events/event_schema.ts";
import { EMPTY_BOOKS } from "#core/pipeline/books.ts";
import type { Sink } from "#core/pipeline/sink.ts";
import type { KernelBackend } from "#kernel/backend.ts";
import { chooseHooks } from "#kernel/choose_hooks.ts";
import { connectOnce, listen } from "#vm-tests/guest/connections.ts";
import { Running } from "../../cli/run/running.ts";
import { describeNative, withBackend } from "./native.ts";

/** What programs that look at the clock, and draw, one after the other cannot have in common. */
const OF_ITS_OWN = ["timestamp_ns", "duration_ns", "latency_ns", "randomness", "sequence"];

class Collected implements Sink {
  readonly name = "collected";
  readonly events: EventObject[] = [];

  write(batch: RecordBatch, schema: EventSchema): void {
    for (let i = 0; i < batch.count; i++) this.events.push(eventObject(batch, i, schema)!);
  }
  async flush(): Promise<void> {}
  async close(): Promise<void> {}

  /** Events of one CPU are in the order of its hooks. */
  byCpu(wanted: (event: EventObject) => boolean): Record<string, EventObject[]> {
    const groups: Record<string, EventObject[]> = {};
    for (const event of this.events.filter(wanted)) {
      for (const name of OF_ITS_OWN) delete event[name];
      const cpu = String(event["cpu"]);
      groups[cpu] = [...(groups[cpu] ?? []), event];
    }
    return groups;
  }
}

interface Observed {
  readonly sink: Collected;
  readonly running: Running;
}

/** What variants tell does not depend on how a kernel guards them. */
function onAnyKernel(spec: CollectorSpec): CollectorSpec {
  const unguarded = ({ kind, function: name }: HookSpec): HookSpec => ({ kind, function: name });
  const programs = spec.programs.map((program) => ({
    ...program,
    hooks: program.hooks.map(unguarded),
  }));
  return { ...spec, programs };
}

/** Runs the collector once for each kind of hook, all at the same time, while `activity` lasts. */
async function observe(
  backend: KernelBackend,
  name: string,
  constants: Record<string, number>,
  activity: () => Promise<void>,
): Promise<Observed[]> {
  const spec = onAnyKernel(COLLECTORS.get(name)!);
  const object = readFileSync(`build/bpf/${spec.object}`);
  const observed: Observed[] = [];
  try {
    for (const kind of HOOK_KINDS) {
      const sink = new Collected();
      const hooks = chooseHooks(backend, object, spec, kind);
      const options = { sinks: [sink], hooks, open: { constants } };
      observed.push({
        sink,
        running: await Running.open(backend, [spec], DEFAULT_CONFIG, options),
      });
    }
    for (const { running } of observed) running.attach();
    await activity();
    for (const { running } of observed) running.detach();
    // A run that was under way when its link closed may still end.
    await sleep(20);
    for (const { running } of observed) running.drain();
    for (const { running } of observed) expectClosedBooks(running);
    return observed;
  } finally {
    for (const { running } of observed) await running.close();
  }
}

function expectClosedBooks({ pipelines }: Running): void {
  for (const pipeline of pipelines) {
    const books = pipeline.books();
    const { filtered, delivered } = books;
    const seen = filtered + delivered;
    const dropped = { ring_full: 0 };
    expect(books).toEqual({ ...EMPTY_BOOKS, seen, filtered, delivered, dropped });
  }
}

describeNative("variants of a program", () => {
  let folder: string;
  const children: ChildProcess[] = [];
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "tapio-variants-"));
  });
  afterAll(() => {
    for (const child of children) child.kill("SIGKILL");
    rmSync(folder, { recursive: true });
  });

  // Elsewhere only the event tells the number of a call that ends.
  it.runIf(process.arch === "x64")(
    "tell the same system calls, those with strange numbers too",
    () =>
      withBackend(async (backend) => {
        const program = join(folder, "calls");
        const compiler = spawnSync("cc", ["-O1", "-Wall", "test/kernel/calls.c", "-o", program]);
        expect(compiler.stderr.toString()).toBe("");
        const child = spawn(program, { stdio: ["pipe", "ignore", "ignore"] });
        children.push(child);
        await sleep(50);
        const observed = await observe(backend, "syscall", { only_pid: child.pid! }, async () => {
          child.stdin.end();
          await once(child, "exit");
        });
        const [first, ...others] = observed.map(({ sink }) => sink.byCpu(() => true));
        for (const other of others) expect(other).toEqual(first);
        const numbers = new Set(
          Object.values(first!).flatMap((events) => events.map((e) => e["number"])),
        );
        for (const number of [110, 1000, 0xffff_ffff]) expect(numbers).toContain(number);
        expect(Object.values(first!).flat().length).toBeGreaterThan(1400);
      }),
  );

  it("tell the same connections and retransmits", () =>
    withBackend(async (backend) => {
      const ports: number[] = [];
      const observed = await observe(backend, "tcp", {}, async () => {
        ports.push(...(await serveAndRefuse()), await retransmit(children));
      });
      const ours = ({ source_port, destination_port }: EventObject) =>
        ports.includes(source_port as number) || ports.includes(destination_port as number);
      const [first, ...others] = observed.map(({ sink }) => sink.byCpu(ours));
      for (const other of others) expect(other).toEqual(first);
      const events = Object.values(first!).flat();
      const names = new Set(events.map(({ event }) => event));
      expect([...names].sort()).toEqual(["tcp_connect_failed", "tcp_retransmit", "tcp_state"]);
      expect(new Set(events.map(({ family }) => family))).toEqual(new Set([2, 10]));
    }));
});

/** Connections over IPv4, IPv6 and IPv4 in IPv6 sockets, served and refused. */
async function serveAndRefuse(): Promise<number[]> {
  const ports: number[] = [];
  for (const [listening, connecting] of [
    ["127.0.0.1", "127.0.0.1"],
    ["::1", "::1"],
    ["::", "127.0.0.1"],
  ] as const) {
    const server = createServer((socket) => socket.end("x"));
    const port = await listen(server, listening);
    for (let i = 0; i < 5; i++) await connectOnce(port, connecting);
    server.close();
    await once(server, "close");
    await connectOnce(port, connecting);
    ports.push(port);
  }
  return ports;
}

const STOPPED_SERVER = `
  const server = require("node:net").createServer().listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
    process.stdout.write(server.address().port + "\\n", () => process.kill(process.pid, "SIGSTOP"));
  });
`;

/** A server that accepts nothing: when its queue is full, clients repeat their SYN, first after a second. */
async function retransmit(children: ChildProcess[]): Promise<number> {
  const server = spawn(process.execPath, ["-e", STOPPED_SERVER], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(server);
  const [text] = (await once(server.stdout!, "data")) as [Buffer];
  const port = Number(text);
  await sleep(50);
  const clients = Array.from({ length: 5 }, () => connect(port, "127.0.0.1").on("error", () => {}));
  await sleep(1500);
  for (const client of clients) client.destroy();
  server.kill("SIGKILL");
  await once(server, "exit");
  return port;
}
