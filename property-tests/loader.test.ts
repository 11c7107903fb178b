/** The loader against damaged files, and against programs that are known to be good. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BpfError } from "#core/errors.ts";
import { bareProgram } from "#wasm/bare_program.ts";
import { checkProgram } from "#wasm/loader/check.ts";
import { disassembleAt } from "#wasm/loader/disassemble.ts";
import { type ElfFile, parseElf } from "#wasm/loader/elf.ts";
import { initialData } from "#wasm/loader/initial_data.ts";
import { linkPrograms } from "#wasm/loader/link.ts";
import { parseObject } from "#wasm/loader/object_spec.ts";
import { compileBpf } from "../test/support/clang.ts";
import { damaged, damageOf, type Region } from "./arbitraries/damage.ts";
import { programBytes, randomProgram } from "./arbitraries/programs.ts";
import { checkProperty } from "./property.ts";

const CORPUS = [
  "test/testdata/loader/maps.bpf.c",
  "test/testdata/loader/relocations.bpf.c",
  "test/testdata/loader/core.bpf.c",
  "bpf/tcp_monitor.bpf.c",
  "bpf/syscall_monitor.bpf.c",
].map((path) => compileBpf(path));
const TARGET = parseObject(compileBpf("backends/wasm/world/kernel_types.c"), "kernel").btf;
const CPU_LIMIT_MS = 1000;

/** Headers, and every section but code and text for people, which are the bulk. */
function regions(elf: ElfFile, file: Uint8Array): Region[] {
  const sectionTable = Number(new DataView(file.buffer).getBigUint64(40, true));
  const found: Region[] = [
    { start: 0, length: 64 },
    { start: sectionTable, length: file.length - sectionTable },
  ];
  for (const { name, data } of elf.sections) {
    // DWARF does not matter to a loader.
    if (!name.startsWith(".debug") && !name.startsWith(".rel.debug")) {
      found.push({ start: data.byteOffset, length: data.length });
    }
  }
  return found;
}

const damagedObject = fc.nat(CORPUS.length - 1).chain((index) => {
  const file = CORPUS[index]!;
  const damages = damageOf(file.length, regions(parseElf(file, "corpus"), file));
  return fc.record({ index: fc.constant(index), damages });
});

/** How far a file gets; throws only what is no `BpfError`. */
function load(file: Uint8Array): "refused" | "opened" | "linked" | "checked" {
  let reached: "refused" | "opened" | "linked" | "checked" = "refused";
  try {
    const spec = parseObject(file, "damaged");
    reached = "opened";
    initialData(spec, { kconfig: { LINUX_KERNEL_VERSION: 1 } });
    const options = { targetBtf: TARGET, kernelFunctions: { present_function: 1 } };
    const programs = linkPrograms(spec, options);
    reached = "linked";
    for (const program of programs) {
      for (let slot = 0; slot < program.code.length / 8; slot++) disassembleAt(program, slot);
      checkProgram(program);
    }
    return "checked";
  } catch (error) {
    if (!(error instanceof BpfError)) throw error;
    expect(error.message).not.toContain("\n");
    return reached;
  }
}

describe("damaged objects", () => {
  test("are refused with a BpfError or loaded, within a second", () => {
    const reached = { refused: 0, opened: 0, linked: 0, checked: 0 };
    checkProperty(
      "loader survives damaged objects",
      fc.property(damagedObject, ({ index, damages }) => {
        const file = damaged(CORPUS[index]!, damages, CORPUS);
        const before = process.cpuUsage().user;
        reached[load(file)]++;
        const used_ms = (process.cpuUsage().user - before) / 1000;
        expect(used_ms).toBeLessThan(CPU_LIMIT_MS);
      }),
    );
    // Damage that is always caught at the door would test nothing behind it.
    const runs = Object.values(reached).reduce((sum, count) => sum + count);
    if (runs < 1000) return;
    expect(reached.refused).toBeGreaterThan(runs / 20);
    expect(reached.opened + reached.linked + reached.checked).toBeGreaterThan(runs / 20);
  });

  test("every cut of an object is refused", () => {
    const file = CORPUS[0]!;
    for (let length = 0; length < file.length; length += 7) {
      expect(load(file.slice(0, length))).toBe("refused");
    }
  });

  test("the corpus itself loads", () => {
    expect(CORPUS.map(load)).toEqual(CORPUS.map(() => "checked"));
  });
});

describe("checkProgram", () => {
  test("passes random programs that run on every machine", () => {
    checkProperty(
      "programs that run pass the load-time checks",
      fc.property(randomProgram, (random) => {
        checkProgram(bareProgram(programBytes(random)));
      }),
    );
  });
});
