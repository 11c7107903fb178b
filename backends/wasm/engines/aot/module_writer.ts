/** The sections of a module whose types are known ahead. */
import { ByteWriter } from "./byte_writer.ts";
import { TYPE } from "./wasm_opcodes.ts";

const MAGIC = Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00);
const SECTION = { type: 1, import: 2, function: 3, export: 7, code: 10 } as const;
const KIND = { function: 0, memory: 2 } as const;

export interface Signature {
  readonly parameters: readonly number[];
  readonly results: readonly number[];
}

export interface ImportedFunction {
  readonly name: string;
  /** Index into the signatures. */
  readonly signature: number;
}

export interface DefinedFunction {
  readonly signature: number;
  /** Locals and instructions. */
  readonly body: ByteWriter;
  /** Name of the export; undefined for a function that only the module calls. */
  readonly exported?: string;
}

export interface ModuleParts {
  readonly signatures: readonly Signature[];
  /** All from module `runtime`, numbered first; its memory, too, is imported. */
  readonly imports: readonly ImportedFunction[];
  readonly functions: readonly DefinedFunction[];
}

export function writeModule(parts: ModuleParts): Uint8Array<ArrayBuffer> {
  const { signatures, imports, functions } = parts;
  const out = new ByteWriter();
  out.bytes(MAGIC);
  section(out, SECTION.type, signatures.length, (content) => {
    for (const { parameters, results } of signatures) {
      content.byte(TYPE.function);
      content.u32(parameters.length);
      for (const type of parameters) content.byte(type);
      content.u32(results.length);
      for (const type of results) content.byte(type);
    }
  });
  section(out, SECTION.import, imports.length + 1, (content) => {
    importName(content, "memory", KIND.memory);
    content.byte(0); // no maximum
    content.u32(0);
    for (const { name, signature } of imports) {
      importName(content, name, KIND.function);
      content.u32(signature);
    }
  });
  section(out, SECTION.function, functions.length, (content) => {
    for (const { signature } of functions) content.u32(signature);
  });
  const exported = functions.filter((one) => one.exported !== undefined);
  section(out, SECTION.export, exported.length, (content) => {
    functions.forEach((one, index) => {
      if (one.exported === undefined) return;
      content.text(one.exported);
      content.byte(KIND.function);
      content.u32(imports.length + index);
    });
  });
  section(out, SECTION.code, functions.length, (content) => {
    for (const { body } of functions) content.sized(body);
  });
  return out.written;
}

function importName(content: ByteWriter, name: string, kind: number): void {
  content.text("runtime");
  content.text(name);
  content.byte(kind);
}

function section(
  out: ByteWriter,
  id: number,
  count: number,
  write: (content: ByteWriter) => void,
): void {
  const content = new ByteWriter();
  content.u32(count);
  write(content);
  out.byte(id);
  out.sized(content);
}
