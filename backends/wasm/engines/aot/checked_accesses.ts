/**
 * Which accesses were checked since the block began, so that the same one is not checked again:
 * by the register that holds the base. Only what a program does itself changes what it may access,
 * and that is a call.
 */
interface Checked {
  readonly offset: number;
  readonly size: number;
  readonly write: boolean;
}

const REGISTERS = 11;
/** Remembered of one register; more only takes time. */
const KNOWN_MAX = 16;

export class CheckedAccesses {
  readonly #byRegister: Checked[][] = Array.from({ length: REGISTERS }, () => []);

  covers(register: number, offset: number, size: number, write: boolean): boolean {
    return this.#byRegister[register]!.some(
      (known) =>
        known.offset <= offset &&
        offset + size <= known.offset + known.size &&
        (known.write || !write),
    );
  }

  add(register: number, offset: number, size: number, write: boolean): void {
    const known = this.#byRegister[register]!;
    if (known.length < KNOWN_MAX) known.push({ offset, size, write });
  }

  /** The register gets another value. */
  forget(register: number): void {
    if (this.#byRegister[register]!.length > 0) this.#byRegister[register] = [];
  }

  forgetAll(): void {
    for (let register = 0; register < REGISTERS; register++) this.forget(register);
  }
}
