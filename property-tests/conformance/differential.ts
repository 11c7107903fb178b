/**
 * A real kernel against the simulated one: the same input, and everything that comes of it must be
 * equal but for what `differences.ts` allows. A failure shrinks to its smallest case on both.
 */
import type { Backend } from "#core/backend.ts";
import type { Btf } from "#core/btf/btf.ts";
import type { KernelAnswer } from "#property-tests/isa/kernel.ts";
import { type KernelFeatures, kernelFeatures } from "#property-tests/models/kernel_version.ts";
import type { WasmBackend } from "#wasm/backend.ts";
import { differentialCollectors } from "./differential_collectors.ts";
import { differentialMaps } from "./differential_maps.ts";
import { differentialPrograms } from "./differential_programs.ts";
import { differentialRings } from "./differential_rings.ts";
import { differentialVariants } from "./differential_variants.ts";
import type { ConformanceOptions } from "./options.ts";

/** The kernel whose semantics the simulated one has. */
export const SIMULATED_VERSION = "6.18";

export interface DifferentialOptions extends ConformanceOptions {
  /** Told how many inputs of a kind have been compared, and none of them differed. */
  readonly compared?: (what: string, inputs: number) => void;
}

/** The real kernel, as far as the suites reach it. */
export interface RealKernel {
  readonly backend: Backend;
  /** Types of the running kernel. */
  btf(): Btf;
  /** A bare program with this memory behind r1. */
  runBare(program: Uint8Array, memory: Uint8Array): Promise<KernelAnswer>;
  close(): void;
}

export interface Pair {
  readonly real: RealKernel;
  readonly simulated: WasmBackend;
}

/** Both sides, opened once for each suite, which closes them. */
export type MakePair = () => Promise<Pair>;

export function closePair(pair: Pair | undefined): void {
  pair?.real.close();
  pair?.simulated.close();
}

/** Registers all suites. */
export function differentialSuites(makePair: MakePair, options: DifferentialOptions): void {
  const features: KernelFeatures = kernelFeatures(options.kernelVersion);
  differentialMaps(async () => {
    const { real, simulated } = await makePair();
    return [real.backend, simulated];
  }, options);
  differentialRings(makePair, options, features);
  differentialPrograms(makePair, options, features);
  differentialCollectors(makePair, options, features);
  differentialVariants(makePair, options);
}
