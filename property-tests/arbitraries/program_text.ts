/**
 * Random programs as assembly. Every function starts with all registers and its 32 bytes of data on
 * the stack set, and ends by folding them into r0.
 *
 * Frame of a function: data at r10-32 to r10-1, rounds of its loop at r10-72, in the entry also the
 * pointer to memory at r10-80, a key at r10-88.
 */

export type Statement =
  | { readonly kind: "lines"; readonly lines: readonly string[] }
  /** Lines that reach memory through r5; only the entry has memory. */
  | { readonly kind: "memory"; readonly lines: readonly string[] }
  | {
      readonly kind: "branch";
      /** Prepares the comparison. */
      readonly before: readonly string[];
      /** A conditional jump without its target. */
      readonly condition: string;
      readonly taken: readonly Statement[];
      readonly notTaken: readonly Statement[];
      /** Jumps over the part that is not executed with ja32 instead of ja. */
      readonly far: boolean;
    }
  | { readonly kind: "loop"; readonly rounds: number; readonly body: readonly Statement[] }
  /** Looks a key up in a map and reaches the value through r0, where there is one. */
  | {
      readonly kind: "lookup";
      readonly map: number;
      readonly key: number;
      /** Lines that leave a number in every register but r0. */
      readonly access: readonly string[];
    }
  /** Calls one of the functions that follow, if there are any. */
  | { readonly kind: "call"; readonly callee: number };

export interface ProgramFunction {
  readonly body: readonly Statement[];
}

/** Of a function's data on its stack. */
export const DATA_WORDS = 4;
/** Words of memory: one for every register, and the data on the stack. */
export const MEMORY_WORDS = 10 + DATA_WORDS;

/** r1 to r5 are gone after a call: this sets them anew. */
export const SET_ARGUMENTS: readonly string[] = [0, 6, 7, 8, 9].map(
  (register, index) => `mov %r${index + 1}, %r${register}`,
);

/** Leaves `key` below r10-80, r2 pointing to it, and the map in r1. */
export function mapAndKey(map: number, key: number): string[] {
  return [`stw [%r10-88], ${key}`, "mov %r2, %r10", "add %r2, -88", `lddw %r1, map ${map}`];
}

/** Of three words between two multiplications, each counts differently. */
const MIXERS = ["sub", "xor", "add"] as const;
const ROUNDS = "[%r10-72]";
const POINTER = "[%r10-80]";

/** The function with this index, starting at its label. */
export function functionText(functions: readonly ProgramFunction[], index: number): string {
  const writer = new FunctionWriter(index, functions.length);
  if (index === 0) writer.startEntry();
  else writer.startCallee();
  writer.statements(functions[index]!.body);
  writer.finish();
  return writer.text();
}

/** Functions that the entry reaches, itself included, ascending: Linux refuses unreachable code. */
export function reachableFunctions(functions: readonly ProgramFunction[]): number[] {
  const reached = new Set([0]);
  for (const index of reached) {
    for (const callee of calls(functions[index]!.body)) {
      const target = calledFunction(functions.length, index, callee);
      if (target !== undefined) reached.add(target);
    }
  }
  return [...reached].sort((left, right) => left - right);
}

function* calls(statements: readonly Statement[]): Generator<number> {
  for (const statement of statements) {
    if (statement.kind === "call") yield statement.callee;
    if (statement.kind === "loop") yield* calls(statement.body);
    if (statement.kind === "branch") yield* calls([...statement.taken, ...statement.notTaken]);
  }
}

function calledFunction(count: number, caller: number, callee: number): number | undefined {
  const following = count - caller - 1;
  return following === 0 ? undefined : caller + 1 + (callee % following);
}

class FunctionWriter {
  readonly #index: number;
  readonly #functionCount: number;
  readonly #lines: string[] = [];
  #labels = 0;

  constructor(index: number, functionCount: number) {
    this.#index = index;
    this.#functionCount = functionCount;
    this.#lines.push(`function${index}:`);
  }

  text(): string {
    return this.#lines.join("\n");
  }

  /** Registers and data come from memory, so that a verifier knows nothing about them. */
  startEntry(): void {
    this.#lines.push(`stxdw ${POINTER}, %r1`);
    for (let word = 0; word < DATA_WORDS; word++) {
      this.#lines.push(`ldxdw %r0, [%r1+${80 + word * 8}]`, `stxdw [%r10-${(word + 1) * 8}], %r0`);
    }
    for (const register of [0, 2, 3, 4, 5, 6, 7, 8, 9, 1]) {
      this.#lines.push(`ldxdw %r${register}, [%r1+${register * 8}]`);
    }
  }

  /** Registers and data come from the arguments. */
  startCallee(): void {
    this.#lines.push(
      "mov %r0, %r1",
      "mov %r6, %r2",
      "mov %r7, %r3",
      "mov %r8, %r4",
      "mov %r9, %r5",
    );
    for (let word = 0; word < DATA_WORDS; word++) {
      this.#lines.push(`stxdw [%r10-${(word + 1) * 8}], %r${word + 1}`);
    }
  }

  statements(statements: readonly Statement[]): void {
    for (const statement of statements) this.#statement(statement);
  }

  /** r0 becomes a mixture of all registers, the data, and in the entry the memory. */
  finish(): void {
    for (let register = 1; register < 10; register++) {
      if (register % 3 === 1) this.#lines.push("mul %r0, 0x1000193");
      this.#lines.push(`${MIXERS[register % 3]} %r0, %r${register}`);
    }
    for (let word = 1; word <= DATA_WORDS; word++) {
      if (word % 3 === 1) this.#lines.push("mul %r0, 0x1000193");
      this.#lines.push(`ldxdw %r1, [%r10-${word * 8}]`, `${MIXERS[word % 3]} %r0, %r1`);
    }
    if (this.#index === 0) this.#mixMemory();
    this.#lines.push("exit");
  }

  #mixMemory(): void {
    const again = this.#label();
    this.#lines.push(`ldxdw %r2, ${POINTER}`, "mov %r3, 0", `${again}:`);
    this.#lines.push("ldxdw %r1, [%r2+0]", "mul %r0, 0x1000193", "xor %r0, %r1", "add %r2, 8");
    this.#lines.push("add %r3, 1", `jlt %r3, ${MEMORY_WORDS}, ${again}`);
  }

  #statement(statement: Statement): void {
    switch (statement.kind) {
      case "lines":
        this.#lines.push(...statement.lines);
        break;
      case "memory":
        if (this.#index !== 0) break;
        this.#lines.push(`ldxdw %r5, ${POINTER}`, ...statement.lines, "mov %r5, %r0");
        break;
      case "branch":
        this.#branch(statement);
        break;
      case "loop":
        this.#loop(statement);
        break;
      case "lookup":
        this.#lookup(statement);
        break;
      case "call":
        this.#call(statement.callee);
        break;
    }
  }

  #branch(branch: Extract<Statement, { kind: "branch" }>): void {
    const taken = this.#label();
    const end = this.#label();
    this.#lines.push(...branch.before, `${branch.condition}, ${taken}`);
    this.statements(branch.notTaken);
    this.#lines.push(`${branch.far ? "ja32" : "ja"} ${end}`, `${taken}:`);
    this.statements(branch.taken);
    this.#lines.push(`${end}:`);
  }

  #loop({ rounds, body }: Extract<Statement, { kind: "loop" }>): void {
    const again = this.#label();
    this.#lines.push(`stdw ${ROUNDS}, 0`, `${again}:`);
    this.statements(body);
    this.#lines.push(`ldxdw %r4, ${ROUNDS}`, "add %r4, 1", `stxdw ${ROUNDS}, %r4`);
    this.#lines.push(`jlt %r4, ${rounds}, ${again}`);
  }

  #lookup({ map, key, access }: Extract<Statement, { kind: "lookup" }>): void {
    const missing = this.#label();
    this.#lines.push(...mapAndKey(map, key), "call helper 1", `jeq %r0, 0, ${missing}`);
    this.#lines.push(...access, `${missing}:`, "mov %r0, %r6", ...SET_ARGUMENTS);
  }

  #call(callee: number): void {
    const target = calledFunction(this.#functionCount, this.#index, callee);
    if (target === undefined) return;
    this.#lines.push(`call local function${target}`);
    this.#lines.push(...SET_ARGUMENTS);
  }

  #label(): string {
    this.#labels++;
    return `function${this.#index}_${this.#labels}`;
  }
}
