/**
 * The part of the WebAssembly JavaScript interface that this backend uses. TypeScript declares it in
 * its DOM library only, which would let browser globals into code that also runs in Node.
 */
declare global {
  namespace WebAssembly {
    type ImportExportKind = "function" | "global" | "memory" | "table";
    type ImportValue = ((...args: never[]) => unknown) | Global | Memory | Table | number | bigint;
    type Imports = Record<string, Record<string, ImportValue>>;
    type Exports = Record<string, unknown>;

    interface ModuleExportDescriptor {
      readonly name: string;
      readonly kind: ImportExportKind;
    }

    interface ModuleImportDescriptor extends ModuleExportDescriptor {
      readonly module: string;
    }

    class Module {
      constructor(bytes: Uint8Array<ArrayBuffer>);
      static imports(module: Module): ModuleImportDescriptor[];
      static exports(module: Module): ModuleExportDescriptor[];
    }

    class Instance {
      constructor(module: Module, imports?: Imports);
      readonly exports: Exports;
    }

    class Memory {
      constructor(descriptor: { initial: number; maximum?: number; shared?: boolean });
      readonly buffer: ArrayBuffer;
      grow(pages: number): number;
    }

    class Table {
      constructor(descriptor: { element: "anyfunc"; initial: number; maximum?: number });
      readonly length: number;
      get(index: number): unknown;
      set(index: number, value: unknown): void;
      grow(entries: number): number;
    }

    class Global {
      constructor(descriptor: { value: "i32" | "i64"; mutable?: boolean }, value?: number | bigint);
      value: number | bigint;
    }

    class CompileError extends Error {}
    class LinkError extends Error {}
    class RuntimeError extends Error {}

    function compile(bytes: Uint8Array<ArrayBuffer>): Promise<Module>;
    function instantiate(module: Module, imports?: Imports): Promise<Instance>;
    function validate(bytes: Uint8Array<ArrayBuffer>): boolean;
  }
}

export {};
