/**
 * BTF as data: what `parseBtf` (`parse.ts`) yields from a `.BTF` section, on any host.
 *
 * Type ids are indices into `types`; id 0 is void. Strings are resolved, nothing is lazily parsed.
 */

export interface BtfMember {
  readonly name: string;
  readonly typeId: number;
  /** Offset from the start of the struct, in bits. */
  readonly offset_bits: number;
  /** Width of a bit field in bits; 0 for an ordinary member. */
  readonly bitfieldSize_bits: number;
}

export interface BtfEnumerator {
  readonly name: string;
  readonly value: bigint;
}

export interface BtfParameter {
  readonly name: string;
  readonly typeId: number;
}

export interface BtfVariable {
  readonly typeId: number;
  /** Offset in the section, in bytes. */
  readonly offset: number;
  readonly size: number;
}

export type BtfType =
  | { readonly kind: "void"; readonly name: "" }
  | {
      readonly kind: "int";
      readonly name: string;
      readonly size: number;
      readonly signed: boolean;
      readonly bool: boolean;
      readonly char: boolean;
      readonly bits: number;
      readonly bitOffset: number;
    }
  | { readonly kind: "float"; readonly name: string; readonly size: number }
  | { readonly kind: "pointer"; readonly name: ""; readonly typeId: number }
  | {
      readonly kind: "array";
      readonly name: "";
      readonly elementTypeId: number;
      readonly indexTypeId: number;
      readonly length: number;
    }
  | {
      readonly kind: "struct" | "union";
      readonly name: string;
      readonly size: number;
      readonly members: readonly BtfMember[];
    }
  | {
      readonly kind: "enum";
      readonly name: string;
      readonly size: number;
      readonly signed: boolean;
      readonly enumerators: readonly BtfEnumerator[];
    }
  | { readonly kind: "forward"; readonly name: string; readonly union: boolean }
  | {
      readonly kind: "typedef" | "volatile" | "const" | "restrict" | "type_tag";
      readonly name: string;
      readonly typeId: number;
    }
  | {
      readonly kind: "decl_tag";
      readonly name: string;
      readonly typeId: number;
      readonly component: number;
    }
  | {
      readonly kind: "function";
      readonly name: string;
      readonly typeId: number;
      readonly linkage: "static" | "global" | "extern";
    }
  | {
      readonly kind: "prototype";
      readonly name: "";
      readonly returnTypeId: number;
      readonly parameters: readonly BtfParameter[];
    }
  | {
      readonly kind: "variable";
      readonly name: string;
      readonly typeId: number;
      readonly linkage: "static" | "global" | "extern";
    }
  | {
      readonly kind: "section";
      readonly name: string;
      readonly size: number;
      readonly variables: readonly BtfVariable[];
    };

export type BtfKind = BtfType["kind"];

export interface Btf {
  readonly littleEndian: boolean;
  readonly types: readonly BtfType[];
  /** The string section, for `.BTF.ext`, whose records hold offsets into it. */
  readonly strings: Uint8Array;
}
