/**
 * A program after linking: what the loader hands to an engine.
 *
 * `code` holds 8-byte instructions, little-endian, of the entry function followed by every function
 * it reaches; calls between them are resolved (`src = 1`, relative). CO-RE relocations are applied.
 * LDDW instructions that name a map, global data or a function have a zero immediate and `src` 1
 * (map), 2 (map value) or 4 (function): what they name stands in `references`, because addresses
 * exist only once an instance has created the maps. No other LDDW has a `src`. Calls of kernel
 * functions have `src` 2 and the number that the linker's options gave.
 */

export type Reference =
  /** The map's address (helpers take it). */
  | { readonly kind: "map"; readonly slot: number; readonly map: string }
  /** The address of byte `offset` of the (single) value of a global-data map. */
  | {
      readonly kind: "map_value";
      readonly slot: number;
      readonly map: string;
      readonly offset: number;
    }
  /** A callback: the subprogram that starts at instruction `target`. */
  | { readonly kind: "function"; readonly slot: number; readonly target: number };

export interface Subprogram {
  readonly name: string;
  /** First instruction slot and number of slots. */
  readonly start: number;
  readonly length: number;
}

/** Source position of the instructions from `slot` up to the next entry. */
export interface LineEntry {
  readonly slot: number;
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

/**
 * An instruction that could not be relocated, and became a call of the helper that does not exist
 * (`POISON_HELPER`; both slots of an LDDW). Programs guard such code and never reach it
 * where the types of the kernel differ; reaching it is a fault, and `reason` says what was missing.
 */
export interface PoisonedInstruction {
  readonly slot: number;
  readonly reason: string;
}

/** A helper that no kernel has; libbpf's number, so that logs look alike. */
export const POISON_HELPER = 0xbad2310;

export interface LinkedProgram {
  readonly name: string;
  readonly section: string;
  readonly code: Uint8Array;
  readonly references: readonly Reference[];
  /** Ordered by `start`; the first is the entry. */
  readonly subprograms: readonly Subprogram[];
  /** Ordered by `slot`. */
  readonly lines: readonly LineEntry[];
  /** Ordered by `slot`. */
  readonly poisoned: readonly PoisonedInstruction[];
}
