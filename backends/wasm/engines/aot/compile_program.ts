/** A linked program as a WebAssembly module. */
import { analyseAccesses } from "#wasm/engines/access_analysis.ts";
import type { Mode } from "#wasm/engines/engine.ts";
import { type ProgramCode, refuse, takeApart } from "#wasm/engines/function_code.ts";
import type { ProgramProbes } from "#wasm/engines/probes.ts";
import type { Named } from "#wasm/engines/register_flow.ts";
import { CALL_SOURCE, OPCODE } from "#wasm/loader/instructions.ts";
import { type LinkedProgram, POISON_HELPER } from "#wasm/loader/linked_program.ts";
import { ByteWriter } from "./byte_writer.ts";
import { compileFunction } from "./compile_function.ts";
import type { CodeProbes } from "./emit_probes.ts";
import type { ModuleFunctions, RuntimeAddresses } from "./function_context.ts";
import { type DefinedFunction, type ImportedFunction, writeModule } from "./module_writer.ts";
import { TYPE, WASM } from "./wasm_opcodes.ts";

/** Only in modules that tell their steps, behind everything else. */
const STEP_SIGNATURE = { parameters: [TYPE.i32], results: [] };

const { i32, i64 } = TYPE;
const WORDS5 = [i64, i64, i64, i64, i64];
/** Signatures by index. */
const SIGNATURES = [
  { parameters: WORDS5, results: [i64] },
  { parameters: [...WORDS5, i64], results: [i64] },
  { parameters: [i32, i64, i64], results: [i64] },
  { parameters: [i32, i32, i64], results: [i64] },
  { parameters: [i64, i32, i32], results: [] },
  { parameters: [i32, i32, i64], results: [] },
  { parameters: [], results: [] },
  { parameters: [i64], results: [] },
  { parameters: [i64], results: [i64] },
  { parameters: [i64, i32], results: [] },
];
const SIGNATURE = {
  helper: 0,
  subprogram: 1,
  entry: 2,
  callback: 3,
  check: 4,
  fault: 5,
  preempt: 6,
  frame: 7,
  frameResult: 8,
  functionEnter: 9,
} as const;

/** What every module imports, in this order, by the names of the runtime's exports. */
const RUNTIME_IMPORTS: readonly ImportedFunction[] = [
  { name: "aot_check", signature: SIGNATURE.check },
  { name: "aot_fault", signature: SIGNATURE.fault },
  { name: "aot_function_enter", signature: SIGNATURE.functionEnter },
  { name: "aot_set_caller_frame", signature: SIGNATURE.frame },
  { name: "aot_tail_call_in_frame", signature: SIGNATURE.frameResult },
  { name: "rt_preempt", signature: SIGNATURE.preempt },
  { name: "aot_call_by_number", signature: SIGNATURE.subprogram },
];

const SPIN_LOCK = 93;

export interface CompileRequest {
  readonly program: LinkedProgram;
  readonly mode: Mode;
  readonly addresses: RuntimeAddresses;
  /** What each LDDW with a reference loads, by slot. */
  readonly references: ReadonlyMap<number, { readonly address: number; readonly named: Named }>;
  /** Slots where callbacks start: exported as `callback0`, `callback1`, ... in this order. */
  readonly callbacks: readonly number[];
  /** r2 at the start. */
  readonly secondArgument: number;
  /** Whether the runtime has the helper with this number. */
  readonly hasHelper: (id: number) => boolean;
  /** What the code shall tell besides: steps through an import `probe_step`. */
  readonly probes?: ProgramProbes | undefined;
}

export interface CompiledProgram {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Helpers that the module imports as `helper<number>`. */
  readonly helpers: readonly number[];
}

/** Throws `VerifierError` for code that cannot run. */
export function compileProgram(request: CompileRequest): CompiledProgram {
  const { program, references, callbacks, secondArgument } = request;
  const code = takeApart(program);
  const named = new Map([...references].map(([slot, reference]) => [slot, reference.named]));
  const poisoned = new Set(program.poisoned.map(({ slot }) => slot));
  const { helpers, called, byRegister } = findCalls(request, code, poisoned);
  const subprograms = [...new Set([...called, ...callbacks])].sort((a, b) => a - b);
  const steps = request.probes?.step !== undefined;
  const imports = [
    ...RUNTIME_IMPORTS,
    ...helpers.map((id) => ({ name: `helper${id}`, signature: SIGNATURE.helper })),
    ...(steps ? [{ name: "probe_step", signature: SIGNATURES.length }] : []),
  ];
  const functions = numberFunctions(imports, helpers, subprograms);
  const shared = {
    code,
    mode: request.mode,
    addresses: request.addresses,
    functions,
    references: new Map([...references].map(([slot, { address }]) => [slot, address])),
    poisoned,
    named,
    findings: analyseAccesses(code, named),
    callsHelpers: request.mode === "paranoid" || byRegister || helpers.includes(SPIN_LOCK),
    secondArgument,
    probes: codeProbes(request.probes, imports.length - 1),
  };
  const compile = (start: number, entry: boolean): ByteWriter => {
    const one = code.functions.find((candidate) => candidate.start === start)!;
    return compileFunction({ ...shared, one, entry });
  };
  const defined: DefinedFunction[] = [
    {
      signature: SIGNATURE.entry,
      body: compile(code.functions[0]!.start, true),
      exported: "entry",
    },
    ...subprograms.map((start) => ({
      signature: SIGNATURE.subprogram,
      body: compile(start, false),
    })),
    ...callbacks.map((start, index) => ({
      signature: SIGNATURE.callback,
      body: callbackBody(functions.subprograms.get(start)!),
      exported: `callback${index}`,
    })),
  ];
  const signatures = steps ? [...SIGNATURES, STEP_SIGNATURE] : SIGNATURES;
  return { bytes: writeModule({ signatures, imports, functions: defined }), helpers };
}

function codeProbes(
  probes: ProgramProbes | undefined,
  stepFunction: number,
): CodeProbes | undefined {
  if (probes === undefined) return undefined;
  const { step, counters } = probes;
  return { step: step && { functionIndex: stepFunction, registers: step.registers }, counters };
}

/** Which helpers and subprograms the code calls, and whether it calls helpers by register, too. */
function findCalls(
  { program, hasHelper }: CompileRequest,
  code: ProgramCode,
  poisoned: ReadonlySet<number>,
): { helpers: number[]; called: Set<number>; byRegister: boolean } {
  const starts = new Set(code.functions.map(({ start }) => start));
  const helpers = new Set<number>();
  const called = new Set<number>();
  let byRegister = false;
  code.instructions.forEach((instruction, slot) => {
    if (instruction?.opcode === OPCODE.CALLX) byRegister = true;
    if (instruction?.opcode !== OPCODE.CALL) return;
    const { src, imm } = instruction;
    if (src === CALL_SOURCE.LOCAL) {
      const target = slot + 1 + imm;
      if (!starts.has(target)) {
        throw refuse(program.name, slot, `call of slot ${target}, where no function starts`);
      }
      called.add(target);
    } else if (src !== CALL_SOURCE.HELPER) {
      throw refuse(program.name, slot, `call of kernel function ${imm}, which is unknown here`);
    } else if (!poisoned.has(slot) && imm < POISON_HELPER) {
      if (!hasHelper(imm)) throw refuse(program.name, slot, `unknown helper ${imm}`);
      helpers.add(imm);
    }
  });
  return { helpers: [...helpers].sort((a, b) => a - b), called, byRegister };
}

function numberFunctions(
  imports: readonly ImportedFunction[],
  helpers: readonly number[],
  subprograms: readonly number[],
): ModuleFunctions {
  const index = (name: string): number => imports.findIndex((one) => one.name === name);
  const firstHelper = RUNTIME_IMPORTS.length;
  const entry = imports.length;
  return {
    check: index("aot_check"),
    fault: index("aot_fault"),
    functionEnter: index("aot_function_enter"),
    setCallerFrame: index("aot_set_caller_frame"),
    tailCallInFrame: index("aot_tail_call_in_frame"),
    preempt: index("rt_preempt"),
    callByNumber: index("aot_call_by_number"),
    helpers: new Map(helpers.map((id, at) => [id, firstHelper + at])),
    subprograms: new Map(subprograms.map((start, at) => [start, entry + 1 + at])),
  };
}

/** Parameters: struct rt_callback, arguments, frame. */
function callbackBody(subprogram: number): ByteWriter {
  const out = new ByteWriter();
  out.u32(0);
  for (let argument = 0; argument < 5; argument++) {
    out.byte(WASM.local_get);
    out.u32(1);
    out.byte(WASM.i64_load);
    out.u32(3);
    out.u32(8 * argument);
  }
  out.byte(WASM.local_get);
  out.u32(2);
  out.byte(WASM.call);
  out.u32(subprogram);
  out.byte(WASM.end);
  return out;
}
