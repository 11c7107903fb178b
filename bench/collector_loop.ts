/**
 * Variants of the system call collector against each other: what they do for one event, in a loop in the kernel. Hooks would add the same to all of them, and noise that is a hundred times what is looked for.
 */
import { mkdirSync, readFileSync } from "node:fs";
import type { BpfObject, OpenOptions } from "#core/backend.ts";
import type { KernelBackend } from "#kernel/backend.ts";
import { compileObject } from "../scripts/build_bpf.ts";
import { median } from "./bench.ts";

/** Of a round: so few that most rounds are not interrupted, so many that the clock does not matter. */
export const EVENTS = 1024;
const WARM_UP = 20;

export interface Variant {
  readonly name: string;
  readonly flags: readonly string[];
  readonly constants?: OpenOptions["constants"];
  /** Sets the loaded object up. */
  readonly prepare?: (object: BpfObject) => void;
}

/** Which of its programs a call goes through. */
export type Halves = "exit" | "enter and exit";

export class CollectorLoop {
  readonly object: BpfObject;
  readonly #context: Uint8Array;
  readonly #ring;

  constructor(backend: KernelBackend, variant: Variant, halves: Halves) {
    const { name, flags, constants = {}, prepare } = variant;
    const path = `build/bench/${name}.bpf.o`;
    mkdirSync("build/bench", { recursive: true });
    compileObject("bench/collector_loop.bpf.c", path, flags);
    this.object = backend.open(readFileSync(path), { name: path, constants, programs: ["loop"] });
    this.object.load();
    prepare?.(this.object);
    const enters = halves === "exit" ? 0n : 1n;
    this.#context = new Uint8Array(BigUint64Array.of(BigInt(EVENTS), enters).buffer);
    this.#ring = this.object.maps.get("events")!.ring();
  }

  /** Nanoseconds of one event, and how many of `EVENTS` were kept. */
  run(): { readonly event_ns: number; readonly kept: number } {
    this.object.programs.get("loop")!.run(this.#context.slice());
    const memory = this.object.maps.get("loop_elapsed_ns")!.memory();
    const [elapsed_ns] = new BigUint64Array(memory.buffer, memory.byteOffset, 1);
    return { event_ns: Number(elapsed_ns) / EVENTS, kept: this.#ring.consume(() => {}) };
  }

  close(): void {
    this.#ring.close();
    this.object.close();
  }
}

/** What one variant adds to another, by event: the median over rounds of pairs that run one after the other. */
export interface Added {
  readonly added_ns: number;
  /** The middle half of the rounds. */
  readonly quartiles_ns: readonly [number, number];
}

/** Nanoseconds of an event in every round, by variant: `rounds` turns, each of all variants. */
export function inTurns(loops: readonly CollectorLoop[], rounds: number): number[][] {
  const times = loops.map((): number[] => []);
  for (let round = -WARM_UP; round < rounds; round++) {
    loops.forEach((_, turn) => {
      // Each is first as often as the others.
      const i = (turn + round + WARM_UP) % loops.length;
      const { event_ns } = loops[i]!.run();
      if (round >= 0) times[i]!.push(event_ns);
    });
  }
  return times;
}

export function addedBy(times: readonly number[], base: readonly number[]): Added {
  const added = times.map((time, i) => time - base[i]!).sort((a, b) => a - b);
  const at = (part: number) => added[Math.floor(part * (added.length - 1))]!;
  return { added_ns: median(added), quartiles_ns: [at(0.25), at(0.75)] };
}
