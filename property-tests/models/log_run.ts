/** Drives a write-ahead log over a failing disk, and knows what it must still have afterwards. */
import { expect } from "vitest";
import type { AppendResult } from "#core/batching/log/batch_log.ts";
import type { LogOptions } from "#core/batching/log/log_options.ts";
import { WriteAheadLog } from "#core/batching/log/write_ahead_log.ts";
import { ManualClock, MemoryDisk } from "./memory_disk.ts";

export const CONSUMERS = ["a", "b"] as const;
type ConsumerName = (typeof CONSUMERS)[number];

export type LogAction =
  | { readonly kind: "append"; readonly length: number }
  | { readonly kind: "consume"; readonly consumer: ConsumerName; readonly acknowledge: boolean }
  | { readonly kind: "sync" }
  | { readonly kind: "wait"; readonly delay_ms: number }
  | { readonly kind: "reopen" }
  | { readonly kind: "kill"; readonly after: number }
  | { readonly kind: "crash"; readonly after: number };

export interface LogScenario {
  readonly sync: LogOptions["sync"];
  readonly whenFull: LogOptions["when_full"];
  readonly max_bytes: number;
  readonly actions: readonly LogAction[];
  /** By operation: what goes wrong; the last of them holds for ever after it. */
  readonly faults: readonly {
    readonly at: number;
    readonly fault: "ENOSPC" | "EIO" | "EROFS" | "short";
  }[];
  readonly choices: readonly number[];
}

interface Batch {
  readonly segment: number;
  readonly sequence: number;
  readonly payload: Uint8Array;
  /** Survives the loss of power. */
  durable: boolean;
}

/** Everything that was asked for has happened, or hangs in the disk. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export class LogRun {
  readonly disk = new MemoryDisk();
  readonly #clock = new ManualClock();
  readonly #scenario: LogScenario;
  #log: WriteAheadLog | undefined;
  #choice = 0;
  #appended = 0;
  /** By sequence: accepted, and not known to be lost. */
  readonly #batches = new Map<number, Batch>();
  /** What was refused may turn up after a crash; it was offered under these payloads. */
  readonly #refused = new Set<number>();
  readonly #acknowledged = new Map<ConsumerName, Set<number>>();
  readonly #last = new Map<ConsumerName, number>();
  #dropped = 0;

  constructor(scenario: LogScenario) {
    this.#scenario = scenario;
    for (const name of CONSUMERS) this.#acknowledged.set(name, new Set());
    this.disk.plan = (operation, count) => {
      if (operation === "read" || operation === "open" || operation === "list") return undefined;
      return scenario.faults.find(({ at, fault }) => {
        return at === count && (fault !== "short" || operation === "write");
      })?.fault;
    };
  }

  async open(): Promise<void> {
    const { sync, whenFull, max_bytes } = this.#scenario;
    this.#log = await WriteAheadLog.open({
      storage: this.disk,
      clock: this.#clock,
      header: Uint8Array.of(7, 7),
      consumers: CONSUMERS,
      sync,
      sync_interval_ms: 100,
      sync_bytes: 500,
      segment_bytes: 600,
      max_bytes,
      when_full: whenFull,
      position_interval_ms: 50,
      retry_ms: 200,
    });
    this.#last.clear();
  }

  #choose(n: number): number {
    const { choices } = this.#scenario;
    return choices.length === 0 ? 0 : choices[this.#choice++ % choices.length]! % n;
  }

  async act(action: LogAction): Promise<void> {
    const log = this.#log!;
    switch (action.kind) {
      case "append":
        await this.#append(action.length);
        break;
      case "consume":
        await this.#consume(action.consumer, action.acknowledge);
        break;
      case "sync":
        await log.sync().then(
          () => this.#allDurable(),
          () => {},
        );
        break;
      case "wait":
        this.#clock.advance(action.delay_ms);
        await settled();
        break;
      case "reopen":
        this.disk.plan = () => undefined;
        this.#count();
        await log.close();
        this.#allDurable();
        await this.open();
        break;
      default:
        await this.#die(action);
    }
  }

  #allDurable(): void {
    for (const batch of this.#batches.values()) batch.durable = true;
  }

  #payload(length: number): Uint8Array {
    const bytes = new Uint8Array(4 + length).fill(this.#appended);
    new DataView(bytes.buffer).setUint32(0, this.#appended++);
    return bytes;
  }

  async #append(length: number): Promise<void> {
    const payload = this.#payload(length);
    const stop = new AbortController();
    let result: AppendResult | undefined;
    void this.#log!.append(payload, 1, stop.signal).then((value) => {
      result = value;
    });
    await settled();
    stop.abort();
    await settled();
    expect(result, "an append ends").toBeDefined();
    if (result!.status === "refused") {
      this.#refused.add(this.#appended - 1);
      return;
    }
    const { segment, sequence } = result!;
    expect(this.#batches.has(sequence), `sequence ${sequence} is new`).toBe(false);
    const durable = this.#scenario.sync === "always";
    this.#batches.set(sequence, { segment, sequence, payload, durable });
  }

  async #consume(name: ConsumerName, acknowledge: boolean): Promise<void> {
    const cursor = this.#log!.cursor(name);
    const stop = new AbortController();
    const reading = cursor.next(stop.signal);
    await settled();
    stop.abort();
    const record = await reading;
    if (record === undefined) return;
    const last = this.#last.get(name) ?? 0;
    expect(record.sequence, "ascending").toBeGreaterThan(last);
    this.#last.set(name, record.sequence);
    const batch = this.#batches.get(record.sequence);
    if (batch === undefined) {
      const number = new DataView(record.payload.slice().buffer).getUint32(0);
      expect(this.#refused.has(number), `a batch that was offered: ${number}`).toBe(true);
    } else {
      expect(record).toMatchObject({ segment: batch.segment, payload: batch.payload });
    }
    if (!acknowledge) return;
    cursor.acknowledge(record.sequence);
    this.#acknowledged.get(name)!.add(record.sequence);
  }

  async #die({
    kind,
    after,
  }: {
    readonly kind: "kill" | "crash";
    readonly after: number;
  }): Promise<void> {
    // Some work is under way when it happens.
    this.disk.stopAt = this.disk.operations + 1 + after;
    const payload = this.#payload(after % 90);
    let accepted: AppendResult | undefined;
    void this.#log!.append(payload, 1).then((result) => {
      accepted = result;
    });
    this.#clock.advance(100);
    await settled();
    this.#count();
    this.#refused.add(this.#appended - 1);
    if (accepted?.status === "accepted") {
      const { segment, sequence } = accepted;
      const durable = this.#scenario.sync === "always";
      this.#batches.set(sequence, { segment, sequence, payload, durable });
    }
    if (kind === "kill") this.disk.killed();
    else {
      this.disk.crashed((n) => this.#choose(n));
      // What could be lost counts as offered only.
      // Without syncs a removal may be on the medium before what followed it, so numbers may start again.
      const promised = this.#scenario.sync !== "never" || this.#dropped === 0;
      for (const [sequence, { durable, payload: bytes }] of this.#batches) {
        if (durable && promised) continue;
        this.#refused.add(new DataView(bytes.buffer).getUint32(0));
        this.#batches.delete(sequence);
      }
    }
    this.disk.plan = () => undefined;
    await this.open();
  }

  #count(): void {
    this.#dropped += this.#log!.getStatistics().batches_dropped;
  }

  /** Reads what is left: all that was accepted, safe and not acknowledged, for every consumer. */
  async finish(): Promise<void> {
    await this.act({ kind: "reopen" });
    for (const name of CONSUMERS) {
      const delivered = new Set(this.#acknowledged.get(name));
      for (;;) {
        const before = this.#last.get(name);
        await this.#consume(name, false);
        const now = this.#last.get(name);
        if (now === before) break;
        delivered.add(now!);
      }
      const lost = [...this.#batches.keys()].filter((sequence) => !delivered.has(sequence));
      expect(lost.length, `lost to ${name}: ${lost.join()}`).toBeLessThanOrEqual(this.#dropped);
    }
    if (this.#scenario.whenFull !== "drop_oldest") expect(this.#dropped).toBe(0);
    const { state, batches_corrupt } = this.#log!.getStatistics();
    expect(state).toBe("healthy");
    const powerFailed = this.#scenario.actions.some(({ kind }) => kind === "crash");
    // A write that did not end may be the last thing there is.
    if (!powerFailed) expect(batches_corrupt).toBeLessThanOrEqual(1);
    await this.#log!.close();
  }
}
