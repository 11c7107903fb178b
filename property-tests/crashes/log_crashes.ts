/**
 * Kills a process that uses the log on the real disk, at random moments, again and again, and holds what
 * the processes said against each other: whatever was accepted comes back under its key until its
 * consumer acknowledged it.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CRASH_CONSUMERS } from "./crash_payload.ts";

const CHILD = fileURLToPath(new URL("crash_child.ts", import.meta.url));
/** Longest time from a process's first word to its end. */
const LIFE_MS_MAX = 120;
/** A process that says nothing for so long does not start. */
const START_MS_MAX = 60_000;
const DRAIN_MS_MAX = 30_000;

export interface CrashOptions {
  readonly kills: number;
  readonly sync: "always" | "group" | "never";
  /** A number from 0 to 1. */
  readonly random: () => number;
  /** Where the log's folder is made; default the system's. */
  readonly parent?: string;
}

export interface CrashReport {
  readonly kills: number;
  readonly accepted: number;
  readonly delivered: number;
  readonly acknowledged: number;
  /** Deliveries of what had been delivered before. */
  readonly repeated: number;
  /** Accepted or delivered, and in the end not acknowledged by some consumer: none may be. */
  readonly lost: number;
  /** Delivered under another key, or after one with a higher sequence. */
  readonly wrong: number;
  readonly refused_starts: number;
}

interface Batch {
  readonly key: string;
  readonly number: number;
}

/** What the processes said, over all of them. */
class Witness {
  accepted = 0;
  delivered = 0;
  repeated = 0;
  acknowledged = 0;
  wrong = 0;
  /** By sequence. */
  readonly #batches = new Map<number, Batch>();
  readonly #seen = new Map<string, Set<number>>(CRASH_CONSUMERS.map((name) => [name, new Set()]));
  readonly #done = new Map<string, Set<number>>(CRASH_CONSUMERS.map((name) => [name, new Set()]));
  readonly #last = new Map<string, number>();
  #highest = -1;

  get nextNumber(): number {
    // Numbers of appends that were cut off may be in the log, too.
    return this.#highest + 1000;
  }

  starts(): void {
    this.#last.clear();
  }

  hear(line: string): void {
    const [kind, ...words] = line.split(" ");
    if (kind === "A") this.#accepted(words.map(Number) as [number, number, number]);
    else if (kind === "D") {
      const [name, ...numbers] = words;
      this.#deliveredTo(name!, numbers.map(Number) as [number, number, number]);
    } else if (kind === "K") {
      this.#done.get(words[0]!)!.add(Number(words[1]));
      this.acknowledged++;
    }
  }

  #accepted([segment, sequence, number]: readonly [number, number, number]): void {
    this.accepted++;
    this.#remember(sequence, { key: `${segment}/${sequence}`, number });
  }

  /** A batch may be delivered before its acceptance is said, or be said by its delivery alone. */
  #remember(sequence: number, batch: Batch): void {
    this.#highest = Math.max(this.#highest, batch.number);
    const known = this.#batches.get(sequence);
    if (known === undefined) this.#batches.set(sequence, batch);
    else if (known.key !== batch.key || known.number !== batch.number) this.wrong++;
  }

  #deliveredTo(name: string, [segment, sequence, number]: readonly [number, number, number]): void {
    this.delivered++;
    if (sequence <= (this.#last.get(name) ?? 0)) this.wrong++;
    this.#last.set(name, sequence);
    this.#remember(sequence, { key: `${segment}/${sequence}`, number });
    if (this.#seen.get(name)!.has(sequence)) this.repeated++;
    this.#seen.get(name)!.add(sequence);
  }

  /** Batches that a consumer has not acknowledged. */
  missing(name: string): number {
    let count = 0;
    for (const sequence of this.#batches.keys()) if (!this.#done.get(name)!.has(sequence)) count++;
    return count;
  }

  /** Everything has been given to everybody. */
  get caughtUp(): boolean {
    return CRASH_CONSUMERS.every((name) => this.#done.get(name)!.size === this.#batches.size);
  }
}

/** Runs one process; kills it `life_ms` after it began, or once `until` holds. False: it did not start. */
function runChild(
  folder: string,
  sync: string,
  witness: Witness,
  life_ms: number,
  until?: () => boolean,
): Promise<boolean> {
  witness.starts();
  const mode = until === undefined ? "load" : "drain";
  const args = [CHILD, folder, String(witness.nextNumber), sync, mode];
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let rest = "";
  let started = false;
  const kill = (): boolean => child.kill("SIGKILL");
  let timer = setTimeout(kill, START_MS_MAX);
  child.stdout.setEncoding("utf8");
  child.stdout.on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      if (line.startsWith("R ") && !started) {
        started = true;
        clearTimeout(timer);
        timer = setTimeout(kill, life_ms);
      }
      witness.hear(line);
    }
    if (until?.() === true) kill();
  });
  return new Promise((resolve) => {
    child.once("close", () => {
      clearTimeout(timer);
      resolve(started);
    });
  });
}

export async function crashLog(options: CrashOptions): Promise<CrashReport> {
  const folder = mkdtempSync(join(options.parent ?? tmpdir(), "tapio-crash-"));
  const witness = new Witness();
  let refused_starts = 0;
  try {
    for (let kill = 0; kill < options.kills; kill++) {
      const life_ms = options.random() ** 2 * LIFE_MS_MAX;
      if (!(await runChild(folder, options.sync, witness, life_ms))) refused_starts++;
    }
    // The last one appends nothing, and lives until it has given out what is there.
    await runChild(folder, options.sync, witness, DRAIN_MS_MAX, () => witness.caughtUp);
    return {
      kills: options.kills,
      accepted: witness.accepted,
      delivered: witness.delivered,
      acknowledged: witness.acknowledged,
      repeated: witness.repeated,
      lost: CRASH_CONSUMERS.reduce((sum, name) => sum + witness.missing(name), 0),
      wrong: witness.wrong,
      refused_starts,
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
