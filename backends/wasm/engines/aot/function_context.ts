/** What the emission of one function's instructions shares. */
import type { AccessFindings } from "#wasm/engines/access_analysis.ts";
import type { Mode } from "#wasm/engines/engine.ts";
import type { FunctionCode, ProgramCode } from "#wasm/engines/function_code.ts";
import type { Named } from "#wasm/engines/register_flow.ts";
import type { ByteWriter } from "./byte_writer.ts";
import type { CheckedAccesses } from "./checked_accesses.ts";
import type { CodeProbes } from "./emit_probes.ts";
import type { InlinePlaces } from "./inline_places.ts";
import { TYPE, WASM } from "./wasm_opcodes.ts";

/** Addresses of the runtime's variables that compiled code uses in place. */
export interface RuntimeAddresses {
  readonly shadow: number;
  readonly memoryBytes: number;
  readonly site: number;
  readonly budget: number;
  readonly preemptionCountdown: number;
  readonly inline: InlinePlaces;
}

/** Function indices in the module. */
export interface ModuleFunctions {
  readonly check: number;
  readonly fault: number;
  readonly functionEnter: number;
  readonly setCallerFrame: number;
  readonly tailCallInFrame: number;
  readonly preempt: number;
  readonly callByNumber: number;
  /** By number of the helper. */
  readonly helpers: ReadonlyMap<number, number>;
  /** By the slot where the subprogram starts. */
  readonly subprograms: ReadonlyMap<number, number>;
}

/** Local variables. Registers of BPF are i64, at `registers[n]`. */
export interface Locals {
  readonly registers: readonly number[];
  readonly budget: number;
  readonly address64: number;
  readonly value64: number;
  readonly address32: number;
  readonly route: number;
  readonly mayGoto: number;
  /** The runtime's address of the task that runs; set where an inlined helper reads it. */
  readonly task: number;
}

export interface FunctionContext {
  readonly out: ByteWriter;
  readonly code: ProgramCode;
  readonly one: FunctionCode;
  /** The program's entry, which the runtime enters; else a subprogram. */
  readonly entry: boolean;
  readonly mode: Mode;
  readonly addresses: RuntimeAddresses;
  readonly functions: ModuleFunctions;
  readonly locals: Locals;
  /** Values of the LDDW that name something, by slot. */
  readonly references: ReadonlyMap<number, number>;
  readonly poisoned: ReadonlySet<number>;
  /** What those LDDW name, by slot. */
  readonly named: ReadonlyMap<number, Named>;
  readonly findings: AccessFindings;
  /** No helper is inlined: the program may hold a spin lock, under which they fault, or is paranoid, where
   * they note what they write. */
  readonly callsHelpers: boolean;
  readonly checked: CheckedAccesses;
  /** What the code tells besides; undefined: nothing. */
  readonly probes: CodeProbes | undefined;
  /** The function has loops: a local variable holds the budget while it runs. */
  readonly countsBudget: boolean;
}

export function getRegister({ out, locals }: FunctionContext, register: number): void {
  out.byte(WASM.local_get);
  out.u32(locals.registers[register]!);
}

export function setRegister(context: FunctionContext, register: number): void {
  const { out, locals, checked } = context;
  checked.forget(register);
  out.byte(WASM.local_set);
  out.u32(locals.registers[register]!);
}

export function getLocal({ out }: FunctionContext, local: number): void {
  out.byte(WASM.local_get);
  out.u32(local);
}

export function setLocal({ out }: FunctionContext, local: number): void {
  out.byte(WASM.local_set);
  out.u32(local);
}

export function teeLocal({ out }: FunctionContext, local: number): void {
  out.byte(WASM.local_tee);
  out.u32(local);
}

export function constant32({ out }: FunctionContext, value: number): void {
  out.byte(WASM.i32_const);
  out.s32(value);
}

/** `value`, 32 bits, with its sign. */
export function constant64({ out }: FunctionContext, value: number): void {
  out.byte(WASM.i64_const);
  out.s32(value);
}

export function call({ out }: FunctionContext, index: number): void {
  out.byte(WASM.call);
  out.u32(index);
}

/** A load or store; the address is on the stack. `align` is the exponent that wasm wants. */
export function access({ out }: FunctionContext, opcode: number, align: number, at = 0): void {
  out.byte(opcode);
  out.u32(align);
  out.u32(at);
}

/** What lies at an address of the runtime's. */
export function loadFixed(context: FunctionContext, opcode: number, address: number): void {
  constant32(context, 0);
  access(context, opcode, 0, address);
}

export function openBlock({ out }: FunctionContext): void {
  out.byte(WASM.block);
  out.byte(TYPE.none);
}

export function branchIf({ out }: FunctionContext, depth: number): void {
  out.byte(WASM.br_if);
  out.u32(depth);
}

/** Says which instruction is about to call into the runtime. */
export function storeSite(context: FunctionContext, slot: number): void {
  constant32(context, 0);
  constant32(context, slot);
  access(context, WASM.i32_store, 2, context.addresses.site);
}

/** Ends the run with a fault at `slot`. */
export function fault(context: FunctionContext, kind: number, slot: number): void {
  constant32(context, kind);
  constant32(context, slot);
  constant64(context, 0);
  call(context, context.functions.fault);
  context.out.byte(WASM.unreachable);
}

/** Before code that charges the run's budget itself. */
export function saveBudget(context: FunctionContext): void {
  if (!context.countsBudget) return;
  constant32(context, 0);
  getLocal(context, context.locals.budget);
  access(context, WASM.i64_store, 3, context.addresses.budget);
}

export function restoreBudget(context: FunctionContext): void {
  if (!context.countsBudget) return;
  constant32(context, 0);
  access(context, WASM.i64_load, 3, context.addresses.budget);
  setLocal(context, context.locals.budget);
}
