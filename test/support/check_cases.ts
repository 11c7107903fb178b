/** Programs on the border of what load-time checks refuse, in the syntax of the ISA assembler. */

export interface CheckCase {
  readonly name: string;
  readonly assembly: string;
  /** What the refusal says; undefined where the program must pass. */
  readonly refused?: RegExp;
}

const CALL_CHAIN = (frames: number) =>
  `${Array.from(
    { length: frames - 1 },
    (_, i) => `f${i}:\nmov %r0, 0\ncall local f${i + 1}\nexit`,
  ).join("\n")}\nf${frames - 1}:\nmov %r0, 0\nexit`;

/** Entry and one callee, with so many bytes of stack each. */
const STACKS = (entry: number, callee: number) => `
mov %r1, 0
stxdw [%r10-${entry}], %r1
call local f
exit
f:
mov %r1, 0
stxdw [%r10-${callee}], %r1
mov %r0, 0
exit`;

export const CHECK_CASES: readonly CheckCase[] = [
  { name: "two instructions", assembly: "mov %r0, 0\nexit" },
  { name: "a jump to itself that something leaves", assembly: "mov %r0, 0\njeq %r0, 1, -1\nexit" },
  {
    name: "a jump before the start",
    assembly: "mov %r0, 0\nja -3\nexit",
    refused: /jumps to -1, out of function/,
  },
  {
    name: "a jump one past the end",
    assembly: "mov %r0, 0\njeq %r0, 1, +1\nexit",
    refused: /jumps to 3, out of function/,
  },
  { name: "a jump to the last instruction", assembly: "mov %r0, 0\njeq %r0, 1, +0\nexit" },
  {
    name: "a jump into the middle of a 64-bit load",
    assembly: "mov %r0, 0\njeq %r0, 1, +1\nlddw %r0, 1\nexit",
    refused: /into the middle of the 64-bit load at 2/,
  },
  {
    name: "a jump into another function",
    assembly: "mov %r0, 0\njeq %r0, 1, other\ncall local f\nexit\nf:\nmov %r0, 0\nother:\nexit",
    refused: /out of function/,
  },
  { name: "no exit", assembly: "mov %r0, 0", refused: /goes on past its last instruction/ },
  {
    name: "a function that falls into the next",
    assembly: "mov %r0, 0\ncall local f\nexit\nf:\nmov %r0, 0\ncall local g\ng:\nmov %r0, 0\nexit",
    refused: /goes on past its last instruction/,
  },
  {
    name: "an instruction that no path leads to",
    assembly: "mov %r0, 0\nexit\nmov %r0, 1\nexit",
    refused: /instruction 2 .*no path leads here/,
  },
  {
    name: "a write to the frame pointer",
    assembly: "mov %r10, 0\nmov %r0, 0\nexit",
    refused: /instruction 0 \(r10 = 0\).*frame pointer is read-only/,
  },
  {
    name: "an unknown helper",
    assembly: "call 9999\nmov %r0, 0\nexit",
    refused: /\(call helper 9999\).*helper 9999 does not exist/,
  },
  {
    name: "an unknown helper behind a constant that rules it out",
    assembly: "mov %r6, 0\njeq %r6, 0, +1\ncall 9999\nmov %r0, 0\nexit",
  },
  {
    name: "an unknown helper behind a 32-bit comparison that rules it out",
    assembly: "lddw %r6, 0x100000000\njeq32 %r6, 0, +1\ncall 9999\nmov %r0, 0\nexit",
  },
  {
    name: "an unknown helper behind a 64-bit comparison that does not",
    assembly: "lddw %r6, 0x100000000\njeq %r6, 0, +1\ncall 9999\nmov %r0, 0\nexit",
    refused: /helper 9999/,
  },
  {
    name: "an unknown helper that computed constants rule out",
    assembly: `mov %r6, -8\narsh %r6, 2\nadd %r6, 1\nxor %r6, -1
jsgt %r6, -1, +1\ncall 9999\nmov %r0, 0\nexit`,
  },
  {
    name: "an unknown helper that one of two constants lets through",
    assembly: `call 7\nmov %r6, 0\njeq %r0, 5, +1\nmov %r6, 1
jeq %r6, 0, +1\ncall 9999\nmov %r0, 0\nexit`,
    refused: /helper 9999/,
  },
  {
    name: "a division by zero",
    assembly: "mov %r0, 1\ndiv %r0, 0\nexit",
    refused: /\(r0 \/= 0\).*divides by zero/,
  },
  { name: "a shift by 63", assembly: "mov %r0, 1\nlsh %r0, 63\nexit" },
  {
    name: "a shift by 64",
    assembly: "mov %r0, 1\nlsh %r0, 64\nexit",
    refused: /shifts 64 bits by 64/,
  },
  {
    name: "a 32-bit shift by 32",
    assembly: "mov %r0, 1\nrsh32 %r0, 32\nexit",
    refused: /shifts 32 bits by 32/,
  },
  {
    name: "a division by zero that cannot run",
    assembly: "mov %r0, 1\njeq %r0, 1, +1\ndiv %r0, 0\nexit",
  },
  { name: "the lowest byte of stack", assembly: "mov %r0, 0\nstxb [%r10-512], %r0\nexit" },
  {
    name: "a byte below the stack",
    assembly: "mov %r0, 0\nstxb [%r10-513], %r0\nexit",
    refused: /accesses 1 bytes of stack at -513, outside -512 to 0/,
  },
  { name: "the highest word of stack", assembly: "mov %r0, 0\nstxdw [%r10-8], %r0\nexit" },
  {
    name: "a byte above the stack",
    assembly: "mov %r0, 0\nstxb [%r10+0], %r0\nexit",
    refused: /at 0, outside/,
  },
  {
    name: "a word that reaches above the stack",
    assembly: "mov %r0, 0\nstxdw [%r10-4], %r0\nexit",
    refused: /8 bytes of stack at -4, outside/,
  },
  {
    name: "a misaligned word of stack",
    assembly: "mov %r0, 0\nstxdw [%r10-12], %r0\nexit",
    refused: /8 bytes of stack at -12, misaligned/,
  },
  {
    name: "a derived pointer below the stack",
    assembly: "mov %r0, 0\nmov %r1, %r10\nadd %r1, -512\nstxb [%r1-1], %r0\nexit",
    refused: /at -513, outside/,
  },
  {
    name: "a derived pointer that differs by path",
    assembly: `call 7\nmov %r1, %r10\nadd %r1, -8\njeq %r0, 5, +1\nadd %r1, -8
mov %r2, 0\nstxdw [%r1+0], %r2\nmov %r0, 0\nexit`,
  },
  { name: "8 frames", assembly: CALL_CHAIN(8) },
  {
    name: "9 frames",
    assembly: CALL_CHAIN(9),
    refused: /calls nest 9 deep, more than 8: program > /,
  },
  {
    name: "recursion",
    assembly: "call local f\nexit\nf:\ncall local g\nexit\ng:\ncall local f\nexit",
    refused: /calls function_2 again before it has returned/,
  },
  { name: "480 and 32 bytes of stack", assembly: STACKS(480, 32) },
  {
    name: "480 and 40 bytes of stack",
    assembly: STACKS(480, 40),
    refused: /use 528 bytes of stack, more than 512: program > function_4/,
  },
  {
    name: "512 bytes of stack, and a callee without",
    assembly: "mov %r0, 0\nstxb [%r10-512], %r0\ncall local f\nexit\nf:\nmov %r0, 0\nexit",
  },
  {
    name: "512 and 8 bytes of stack",
    assembly: STACKS(512, 8),
    refused: /use 528 bytes of stack/,
  },
  {
    name: "a call into the middle of nowhere",
    assembly: "call local +100\nexit",
    refused: /calls instruction 101, where no function starts/,
  },
  {
    name: "a call through a register",
    assembly: "mov %r0, 7\ncall %r0\nexit",
    refused: /no call through a register/,
  },
];
