/** Programs of pointer_programs.ts as text: every function starts with its data on the stack and r6 to r9 set. */

export const VALUE_BYTES = 64;

export type Statement =
  | { readonly kind: "lines"; readonly lines: readonly string[] }
  | {
      readonly kind: "branch";
      readonly at: number;
      readonly taken: readonly Statement[];
      readonly notTaken: readonly Statement[];
    }
  | { readonly kind: "loop"; readonly rounds: number; readonly body: readonly Statement[] };

/** A byte of what the program is given. */
export const input = (register: string, at: number): string =>
  `lddw ${register}, 0  # value input\nldxb ${register}, [${register}+${at}]`;
/** The text of statements; labels are numbered throughout. */
export class Writer {
  readonly #lines: string[] = [];
  #labels = 0;

  start(name: string, r7: string): void {
    this.#lines.push(`${name}:`);
    for (let at = 1; at <= VALUE_BYTES / 8; at++) this.#lines.push(`stdw [%r10-${8 * at}], 0`);
    this.#lines.push("stdw [%r10-512], 0", r7, "lddw %r6, 0  # value data");
    this.#lines.push("mov %r8, 0", "mov %r9, 0");
  }

  end(result: string): void {
    this.#lines.push(`mov %r0, ${result}`, "exit");
  }

  text(): string {
    return this.#lines.join("\n");
  }

  statements(statements: readonly Statement[]): void {
    for (const statement of statements) this.#statement(statement);
  }

  #statement(statement: Statement): void {
    const label = `label${this.#labels++}`;
    if (statement.kind === "lines") {
      this.#lines.push(...statement.lines);
    } else if (statement.kind === "loop") {
      this.#lines.push("mov %r9, 0", `${label}:`);
      this.statements(statement.body);
      this.#lines.push("add %r9, 1", `jlt %r9, ${statement.rounds}, ${label}`);
    } else {
      this.#lines.push(input("%r1", statement.at), `jgt %r1, 127, ${label}taken`);
      this.statements(statement.notTaken);
      this.#lines.push(`ja ${label}`, `${label}taken:`);
      this.statements(statement.taken);
      this.#lines.push(`${label}:`);
    }
  }
}
