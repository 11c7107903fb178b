/**
 * A program after linking: what the loader hands to an engine.
 *
 * `code` holds 8-byte instructions, little-endian, of the entry function followed by every function
 * it reaches; calls between them are resolved (`src = 1`, relative). CO-RE relocations are applied.
 * LDDW instructions that name a map, global data or a function keep a zero immediate: what they
 * name stands in `references`, because addresses exist only once an instance has created the maps.
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

export interface LinkedProgram {
  readonly name: string;
  readonly section: string;
  readonly code: Uint8Array;
  readonly references: readonly Reference[];
  /** Ordered by `start`; the first is the entry. */
  readonly subprograms: readonly Subprogram[];
  readonly lines: readonly LineEntry[];
}
