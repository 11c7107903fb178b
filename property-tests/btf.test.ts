import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Btf } from "#core/btf/btf.ts";
import { createCodec } from "#core/btf/codec.ts";
import { parseBtfExt } from "#core/btf/ext.ts";
import { fieldReader, fieldReaderPair, fieldWriter } from "#core/btf/fields.ts";
import { findField } from "#core/btf/find_field.ts";
import { layoutOf } from "#core/btf/layout.ts";
import { parseBtf } from "#core/btf/parse.ts";
import { alignOf, findType, sizeOf, typeName } from "#core/btf/queries.ts";
import { BpfError } from "#core/errors.ts";
import { compileBpf } from "../test/core/btf/compile.ts";
import { typeGraph } from "./arbitraries/btf.ts";
import { structCase } from "./arbitraries/btf_structs.ts";
import { writeBtf } from "./arbitraries/btf_writer.ts";
import { C_PRELUDE, cStruct, renderStruct } from "./arbitraries/c_structs.ts";
import { bitsAt, canonical, leavesOf, modelValue, withoutPadding } from "./models/btf_values.ts";
import { checkProperty } from "./property.ts";

describe("parseBtf", () => {
  it("yields the types that were written", () => {
    checkProperty(
      "btf: parsed types are those that were written",
      fc.property(typeGraph, (types) => {
        expect(parseBtf(writeBtf(types)).types).toEqual(types);
      }),
    );
  });
});

/** A random struct, bytes of its size, and the bytes of another value. */
const filledStruct = structCase.chain(({ types, root }) =>
  fc.record({
    root: fc.constant(root),
    btf: fc.constant<Btf>({ littleEndian: true, types, strings: new Uint8Array(1) }),
    bytes: fc.uint8Array({ minLength: root.size, maxLength: root.size }),
    base: fc.nat(9),
  }),
);

describe("codec of a random struct", () => {
  it("decodes what a bit-by-bit reading yields", () => {
    checkProperty(
      "btf: values decode as a bit-by-bit reading",
      fc.property(filledStruct, ({ btf, root, bytes: raw, base }) => {
        const bytes = canonical(raw, root);
        const buffer = new Uint8Array(base + bytes.length);
        buffer.set(bytes, base);
        const codec = createCodec(btf, root.id);
        expect(codec.size).toBe(root.size);
        expect(codec.decode(buffer, base)).toEqual(modelValue(bytes, root));
      }),
    );
  });

  it("encodes a decoded value to the bytes it came from, padding zero", () => {
    checkProperty(
      "btf: values encode to the bytes they came from",
      fc.property(filledStruct, ({ btf, root, bytes: raw, base }) => {
        const bytes = canonical(raw, root);
        const codec = createCodec(btf, root.id);
        const buffer = new Uint8Array(base + bytes.length + 5).fill(0xff);
        codec.encode(codec.decode(bytes), buffer, base);
        expect(buffer.slice(base, base + bytes.length)).toEqual(withoutPadding(bytes, root));
        expect(buffer.slice(0, base).every((byte) => byte === 0xff)).toBe(true);
        expect(buffer.slice(base + bytes.length).every((byte) => byte === 0xff)).toBe(true);
      }),
    );
  });
});

describe("field access in a random struct", () => {
  it("reads each field as a bit-by-bit reading does", () => {
    checkProperty(
      "btf: fields read as a bit-by-bit reading",
      fc.property(filledStruct, ({ btf, root, bytes: raw, base }) => {
        const bytes = canonical(raw, root);
        const buffer = new Uint8Array(base + bytes.length);
        buffer.set(bytes, base);
        const view = new DataView(buffer.buffer);
        const layout = layoutOf(btf, root.id);
        for (const { path, type, start_bits, width_bits } of leavesOf(root)) {
          if (width_bits > 64) continue;
          const expected = modelValue(bytes, type, start_bits, width_bits) as number | bigint;
          expect(fieldReader(layout, path)(view, base), path).toBe(Number(expected));
          if (type.kind === "float") continue;
          const { low, high } = fieldReaderPair(layout, path);
          const pair = (BigInt(high(view, base)) << 32n) | BigInt(low(view, base));
          expect(pair, path).toBe(BigInt.asUintN(64, BigInt(expected)));
        }
      }),
    );
  });

  it("writes exactly the field's bits, cut to its width", () => {
    const value = fc.oneof(
      fc.maxSafeInteger(),
      fc.constantFrom(-1, 0, 1, 2 ** 31, 2 ** 32, -(2 ** 53)),
    );
    checkProperty(
      "btf: fields write their bits and no others",
      fc.property(filledStruct, fc.nat(), value, ({ btf, root, bytes }, index, written) => {
        const leaves = leavesOf(root).filter((l) => l.width_bits <= 64 && l.type.kind !== "float");
        fc.pre(leaves.length > 0);
        const { path, start_bits, width_bits } = leaves[index % leaves.length]!;
        const buffer = bytes.slice();
        fieldWriter(layoutOf(btf, root.id), path)(new DataView(buffer.buffer), 0, written);
        const field = BigInt.asUintN(width_bits, BigInt(written));
        expect(bitsAt(buffer, start_bits, width_bits), path).toBe(field);
        expect(bitsAt(buffer, 0, start_bits)).toBe(bitsAt(bytes, 0, start_bits));
        const after = start_bits + width_bits;
        const rest = 8 * bytes.length - after;
        expect(bitsAt(buffer, after, rest)).toBe(bitsAt(bytes, after, rest));
      }),
    );
  });
});

describe("layout and codec of compiled structs", () => {
  it("agree with the compiler on offsets, sizes and every value of an instance", () => {
    checkProperty(
      "btf: layouts agree with the compiler",
      fc.property(fc.array(cStruct, { minLength: 15, maxLength: 25 }), (types) => {
        const structs = types.map((type, i) => ({ name: `t${i}`, ...renderStruct(type, `t${i}`) }));
        const object = compileBpf(C_PRELUDE + structs.map(cSource).join("\n"));
        const btf = parseBtf(object.section(".BTF"));
        for (const { name, value, paths } of structs) {
          const typeId = findType(btf, name, "typedef")!;
          const layout = layoutOf(btf, typeId);
          const constants = object.section(`.${name}.offsets`).slice();
          const expected = [...new BigUint64Array(constants.buffer)].map(Number);
          const fields = paths.map((path) => findField(layout, path));
          const found = fields.flatMap((field) => [field.offset, field.size]);
          expect([layout.size, ...found]).toEqual(expected);
          const instance = object.section(`.${name}`);
          expect(createCodec(btf, typeId).decode(instance)).toMatchObject(value as object);
        }
      }),
      // A failing case costs a compilation per step of shrinking.
    );
  });
});

function cSource({
  name,
  declaration,
  initialiser,
  paths,
}: { name: string } & ReturnType<typeof renderStruct>) {
  const rows = paths.map(
    (path) => `__builtin_offsetof(${name}, ${path}), sizeof(((${name} *)0)->${path}),`,
  );
  return `typedef ${declaration.replace(/;$/, "")} ${name};
    ${name} ${name}_instance __attribute__((section(".${name}"))) = ${initialiser};
    u64 ${name}_offsets[] __attribute__((section(".${name}.offsets"))) = {
      sizeof(${name}), ${rows.join("\n")}
    };`;
}

/** What a damaged file looks like: words and bytes overwritten, pieces moved, the end missing. */
const damage = fc.array(
  fc.record({
    kind: fc.constantFrom("byte", "word", "word", "word", "copy", "truncate"),
    at: fc.nat(),
    from: fc.nat(),
    value: fc.oneof(
      fc.constantFrom(0, 1, 2, 0x7fffffff, 0x80000000, 0xffffffff, 0xffff, 0x84000002),
      fc.nat(60),
      fc.nat(0xffffffff),
    ),
  }),
  { minLength: 1, maxLength: 8 },
);
type Damage = typeof damage extends fc.Arbitrary<infer T> ? T : never;

function damaged(bytes: Uint8Array, steps: Damage): Uint8Array {
  let result = bytes.slice();
  for (const { kind, at, from, value } of steps) {
    if (result.length < 8) break;
    const word = 4 * (at % (Math.floor(result.length / 4) - 1));
    switch (kind) {
      case "byte":
        result[at % result.length] = value;
        break;
      case "word":
        new DataView(result.buffer).setUint32(word, value, true);
        break;
      case "copy":
        result.copyWithin(word, 4 * (from % Math.floor(result.length / 4)), result.length);
        break;
      case "truncate":
        result = result.slice(0, at % result.length);
        break;
    }
  }
  return result;
}

/** Runs one step; anything but success or a `BpfError` is a bug. */
function attempt<T>(step: () => T): T | undefined {
  try {
    return step();
  } catch (error) {
    if (error instanceof BpfError) return undefined;
    throw error;
  }
}

/** Asks everything that can be asked about every type. */
function exercise(btf: Btf): void {
  for (let id = 0; id < btf.types.length; id++) {
    typeName(btf, id);
    attempt(() => alignOf(btf, id));
    const size = attempt(() => sizeOf(btf, id));
    attempt(() => {
      const layout = layoutOf(btf, id);
      for (const field of layout.fields.slice(0, 20)) {
        expect(findField(layout, field.path)).toEqual(field);
      }
    });
    if (size === undefined || size > 1 << 16) continue;
    attempt(() => {
      const codec = createCodec(btf, id);
      const bytes = new Uint8Array(codec.size);
      codec.encode(codec.decode(bytes), bytes);
    });
  }
}

const SOURCE = `${C_PRELUDE}
#define TAG __attribute__((btf_decl_tag("counted")))
struct later;
typedef int (*handler)(struct later *, const char *);
union word { u32 whole; u8 bytes[4]; };
struct sample {
  char comm[16]; u32 low : 3, high : 5; _Bool flag; const volatile long value; union word word;
  struct { short x, y; }; enum e e; handler call; struct sample *next TAG; u8 grid[2][3];
  float ratio; double precise; __int128 wide;
} sample;
struct task { int pid; struct { long start; } inner; } __attribute__((preserve_access_index));
static __attribute__((noinline)) long first(struct task *task) { return task->inner.start; }
__attribute__((section("tp/two"))) long second(struct task *task TAG) {
  return task->pid + first(task);
}`;

describe("damaged sections", () => {
  const object = compileBpf(SOURCE);
  const section = object.section(".BTF");
  const ext = object.section(".BTF.ext");
  const intact = parseBtf(section);

  it("are the damaged form of sections that parse", () => {
    exercise(intact);
    expect(parseBtfExt(ext, intact).coreRelocations).toHaveLength(2);
  });

  it("of types yield types or a BpfError, nothing else, in bounded time", () => {
    let tried = 0;
    let parsed = 0;
    checkProperty(
      "btf: damaged types are parsed or refused",
      fc.property(damage, (steps) => {
        tried++;
        const start = performance.now();
        const btf = attempt(() => parseBtf(damaged(section, steps)));
        if (btf !== undefined) {
          parsed++;
          exercise(btf);
        }
        expect(performance.now() - start, "milliseconds").toBeLessThan(5_000);
      }),
    );
    // Damage that is always found at once would leave everything behind the parser unexercised.
    expect(parsed).toBeGreaterThanOrEqual(Math.floor(tried / 100));
  });

  it("of types written by hand yield types or a BpfError", () => {
    checkProperty(
      "btf: damaged types written by hand are parsed or refused",
      fc.property(typeGraph, damage, (types, steps) => {
        const btf = attempt(() => parseBtf(damaged(writeBtf(types), steps)));
        if (btf !== undefined) exercise(btf);
      }),
    );
  });

  it("of line and relocation info yield records or a BpfError", () => {
    checkProperty(
      "btf: damaged line info is parsed or refused",
      fc.property(damage, (steps) => {
        const parsed = attempt(() => parseBtfExt(damaged(ext, steps), intact));
        if (parsed === undefined) return;
        for (const { typeId } of [...parsed.functions, ...parsed.coreRelocations]) {
          expect(intact.types[typeId]).toBeDefined();
        }
      }),
    );
  });

  it("cut at any byte are refused", () => {
    for (let length = 0; length < section.length; length++) {
      expect(() => parseBtf(section.subarray(0, length)), `${length}`).toThrow(BpfError);
    }
    for (let length = 0; length < ext.length; length++) {
      expect(() => parseBtfExt(ext.subarray(0, length), intact), `${length}`).toThrow(BpfError);
    }
  });
});
