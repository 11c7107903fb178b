/** What a bench is, and what every result says about where it comes from. */
import { arch, cpus, release, totalmem } from "node:os";

export interface BenchInput {
  readonly rounds: number;
  readonly trace?: string;
  /** Name of the engine. */
  readonly engine?: string;
}

export interface Bench {
  /** Rounds where none are asked for; results are medians over them. */
  readonly rounds: number;
  run(input: BenchInput): Promise<Record<string, unknown>>;
}

export interface Machine {
  readonly cpu: string;
  readonly cpus: number;
  readonly memory_bytes: number;
  readonly kernel: string;
  readonly arch: string;
  readonly node: string;
}

export function machine(): Machine {
  const processors = cpus();
  return {
    cpu: processors[0]?.model ?? "unknown",
    cpus: processors.length,
    memory_bytes: totalmem(),
    kernel: release(),
    arch: arch(),
    node: process.versions.node,
  };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle]!;
  return (sorted[middle - 1]! + sorted[middle]!) / 2;
}
