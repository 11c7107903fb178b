/** What is known at one place of a function: its registers, what it put into its frame, and which objects are there. */
import {
  FRAME,
  forgetOrigin,
  inObject,
  join,
  POINTER,
  STATIC,
  same,
  UNKNOWN,
  type ValueRange,
} from "./value_range.ts";

const REGISTERS = 11;
const FRAME_POINTER = 10;
const WORD = 8;
/** Of a function. */
export const FRAME_BYTES = 512;

/** Whether `size` bytes from there on surely lie in the function's own frame. */
export function inFrame({ base, offset }: ValueRange, size: number): boolean {
  return base === "frame" && offset >= -FRAME_BYTES && offset + size <= 0;
}
const NOTHING_STORED: ReadonlyMap<number, ValueRange> = new Map();
const NONE_USED: ReadonlySet<number> = new Set();

export class FlowState {
  /** By number. */
  readonly registers: ValueRange[];
  /** Words that the function stored in its frame, by offset from r10. States share maps and sets until one changes. */
  #frame: ReadonlyMap<number, ValueRange>;
  /** Origins of objects that were used, and so are no NULL and not given back. */
  #used: ReadonlySet<number>;

  private constructor(
    registers: ValueRange[],
    frame: ReadonlyMap<number, ValueRange>,
    used: ReadonlySet<number>,
  ) {
    this.registers = registers;
    this.#frame = frame;
    this.#used = used;
  }

  /** r1 is the context of an entry function; other functions get what their callers have. */
  static atStart(entry: boolean): FlowState {
    const registers = new Array<ValueRange>(REGISTERS).fill(UNKNOWN);
    if (entry) registers[1] = POINTER;
    registers[FRAME_POINTER] = FRAME;
    return new FlowState(registers, NOTHING_STORED, NONE_USED);
  }

  copy(): FlowState {
    return new FlowState(this.registers.slice(), this.#frame, this.#used);
  }

  /** Whether the object that a pointer points into is there for sure. */
  isThere({ origin }: ValueRange): boolean {
    return origin === STATIC || this.#used.has(origin);
  }

  /** An access that did not fault says that the object is there. */
  use(base: ValueRange, offset: number, size: number): void {
    if (base.origin < 0 || this.#used.has(base.origin) || !inObject(base, offset, size)) return;
    this.#used = new Set(this.#used).add(base.origin);
  }

  /** The call at `origin` runs, again perhaps: pointers that it returned before are to something else. */
  renew(origin: number): void {
    this.giveBack((one) => one === origin);
  }

  /**
   * Objects of these origins may be gone, and others where they were: that a pointer to one may be used again
   * says nothing of the bytes around it.
   */
  giveBack(gone: (origin: number) => boolean): void {
    this.#forgetUse(gone);
    this.registers.forEach((value, register) => {
      if (gone(value.origin)) this.registers[register] = forgetOrigin(value);
    });
    for (const [offset, value] of this.#frame) {
      if (gone(value.origin)) this.#set(offset, forgetOrigin(value));
    }
  }

  #forgetUse(of: (origin: number) => boolean): void {
    if (this.#used.size > 0) this.#used = new Set([...this.#used].filter((one) => !of(one)));
  }

  /** Registers that a call leaves behind as they come. */
  scratch(): void {
    this.registers.fill(UNKNOWN, 1, 6);
  }

  /** A whole word of the frame is written. */
  store(offset: number, value: ValueRange): void {
    this.overwrite(offset, WORD);
    if (offset % WORD === 0 && value !== UNKNOWN) this.#set(offset, value);
  }

  /** What the function knows of a word that it reads; undefined for nothing. */
  stored(offset: number): ValueRange | undefined {
    return this.#frame.get(offset);
  }

  /** Somebody writes there. */
  overwrite(offset: number, size: number): void {
    for (const at of this.#frame.keys()) {
      if (at < offset + size && offset < at + WORD) this.#set(at, UNKNOWN);
    }
  }

  /** Somebody may write anywhere. */
  overwriteAll(): void {
    this.#frame = NOTHING_STORED;
  }

  #set(offset: number, value: ValueRange): void {
    const frame = new Map(this.#frame);
    if (value === UNKNOWN) frame.delete(offset);
    else frame.set(offset, value);
    this.#frame = frame;
  }

  /**
   * Takes in what is known where another path comes from. Returns false where that told something new. At
   * the target of a jump backwards (`widen`), what changes from round to round is given up.
   */
  merge(other: FlowState, widen: boolean): boolean {
    let unchanged = this.#mergeFrame(other.#frame, widen);
    for (let register = 0; register < REGISTERS; register++) {
      const before = this.registers[register]!;
      const after = other.registers[register]!;
      if (before === after) continue;
      const both = join(before, after);
      if (same(both, before)) continue;
      this.registers[register] = widen ? UNKNOWN : both;
      unchanged = false;
    }
    if (this.#used === other.#used || isSubset(this.#used, other.#used)) return unchanged;
    this.#forgetUse((origin) => !other.#used.has(origin));
    return false;
  }

  #mergeFrame(other: ReadonlyMap<number, ValueRange>, widen: boolean): boolean {
    if (this.#frame === other) return true;
    let unchanged = true;
    for (const [offset, before] of this.#frame) {
      const both = join(before, other.get(offset) ?? UNKNOWN);
      if (same(both, before)) continue;
      this.#set(offset, widen || both.low === Number.NEGATIVE_INFINITY ? UNKNOWN : both);
      unchanged = false;
    }
    return unchanged;
  }
}

function isSubset(part: ReadonlySet<number>, whole: ReadonlySet<number>): boolean {
  for (const one of part) if (!whole.has(one)) return false;
  return true;
}
