/** Where things lie in the kernel's filter tables, in words of 32 bits; from the object's BTF. */
import type { Btf } from "../btf/btf.ts";
import { findField } from "../btf/find_field.ts";
import { type Layout, layoutOf } from "../btf/layout.ts";
import { findType } from "../btf/queries.ts";
import { BpfError } from "../errors.ts";
import type { TableName } from "./filter_geometry.ts";

export interface TableLayout {
  readonly slots: number;
  readonly keyWords: number;
  readonly strideWords: number;
  /** Word of the bucket that holds word `i` of the key of slot `s`: `keyAt[s * keyWords + i]`. */
  readonly keyAt: readonly number[];
  readonly valueAt: readonly number[];
  /** Word that is not 0 where rules whose first bucket it is lie in their second; -1: is not kept. */
  readonly overflow: number;
}

export interface StateLayout {
  readonly words: number;
  readonly current: number;
  readonly judging: number;
  /** First word of each generation. */
  readonly generations: readonly [number, number];
  /** Word of a field within a generation (`"kinds"`, `"shapes4[3].mask"`). */
  at(path: string): number;
}

export interface FilterLayout {
  readonly state: StateLayout;
  readonly tables: Readonly<Record<TableName, TableLayout>>;
}

function structLayout(btf: Btf, name: string): Layout {
  const id = findType(btf, name, "struct");
  if (id !== undefined) return layoutOf(btf, id);
  throw new BpfError("filters", `the object declares no struct ${name}`, {
    hint: "rebuild the object with -g from the sources of this version",
  });
}

function wordOf(layout: Layout, path: string): number {
  return findField(layout, path).offset / 4;
}

/** `keys` name the arrays of a bucket that make up a key, each with its words. */
function tableLayout(
  btf: Btf,
  name: string,
  keys: readonly (readonly [string, number])[],
): TableLayout {
  const layout = structLayout(btf, name);
  const slots = findField(layout, "values").size / 4;
  const keyAt: number[] = [];
  const valueAt: number[] = [];
  for (let slot = 0; slot < slots; slot++) {
    valueAt.push(wordOf(layout, `values[${slot}]`));
    for (const [field, words] of keys) {
      const at = wordOf(layout, `${field}[${slot}]`);
      for (let word = 0; word < words; word++) keyAt.push(at + word);
    }
  }
  const keyWords = keyAt.length / slots;
  const flag = layout.fields.find(({ path }) => path === "overflow");
  const overflow = flag === undefined ? -1 : flag.offset / 4;
  const strideWords = Math.ceil(layout.size / 8) * 2;
  return { slots, keyWords, strideWords, keyAt, valueAt, overflow };
}

/** Throws `BpfError` where the object has no filters. */
export function filterLayout(btf: Btf): FilterLayout {
  const state = structLayout(btf, "filter_state");
  const generation = structLayout(btf, "filter_generation");
  const words = new Map<string, number>();
  return {
    state: {
      words: state.size / 4,
      current: wordOf(state, "current"),
      judging: wordOf(state, "judging"),
      generations: [wordOf(state, "generations[0]"), wordOf(state, "generations[1]")],
      at(path) {
        let word = words.get(path);
        if (word === undefined) {
          word = wordOf(generation, path);
          words.set(path, word);
        }
        return word;
      },
    },
    tables: {
      scalars: tableLayout(btf, "filter_scalar_bucket", [["keys", 1]]),
      networks4: tableLayout(btf, "filter_network4_bucket", [["keys", 2]]),
      wides: tableLayout(btf, "filter_wide_bucket", [
        ["high", 2],
        ["low", 2],
        ["rest", 1],
      ]),
    },
  };
}
