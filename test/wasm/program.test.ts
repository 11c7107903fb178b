import { beforeAll, describe, expect, it } from "vitest";
import { ProgramFault, VerifierError } from "#core/errors.ts";
import { createAotEngine } from "#wasm/engines/aot/aot.ts";
import { ENGINES } from "#wasm/engines/engines.ts";
import type { RuntimeInstance } from "#wasm/instance.ts";
import type { Reference } from "#wasm/loader/linked_program.ts";
import {
  createInstance,
  createMap,
  link,
  loadProgram,
  runText,
  useEngine,
} from "./program_fixture.ts";

const mapAt = (slot: number, map = "array"): Reference => ({ kind: "map", slot, map });

/** The fault that `run` ends in. */
function faultOf(run: () => unknown): ProgramFault {
  try {
    run();
  } catch (error) {
    if (error instanceof ProgramFault) return error;
    throw error;
  }
  throw new Error("the program ran to its end");
}

describe.each([...ENGINES, createAotEngine("paranoid")])("on $name, $mode:", (engine) => {
  beforeAll(() => useEngine(engine));

  describe("nested runs", () => {
    /** Calls bpf_get_smp_processor_id, where the scheduler switches. */
    const PREEMPTED = "call 8\nmov %r0, 1\nexit";

    async function preempting(
      nested: (instance: RuntimeInstance) => void,
    ): Promise<RuntimeInstance> {
      let depth = 0;
      const instance: RuntimeInstance = await createInstance({
        host: {
          preempt: () => {
            if (depth > 0) return;
            depth++;
            nested(instance);
            depth--;
          },
        },
      });
      instance.exports.rt_preemption_set(1);
      return instance;
    }

    it("of a program on the CPU where it runs are skipped and counted", async () => {
      let handle = 0;
      const answers: (number | undefined)[] = [];
      const instance = await preempting((on) => {
        answers.push(on.run(handle, 0, 0), on.run(handle, 0, 1));
      });
      handle = loadProgram(instance, link(PREEMPTED)).handle;
      expect(instance.run(handle, 0, 0)).toBe(1);
      expect(answers).toEqual([undefined, 1]);
      expect(instance.exports.program_recursion_misses(handle)).toBe(1);
      expect(instance.exports.program_run_count(handle)).toBe(2);
    });

    it("have stacks of their own", async () => {
      let handle = 0;
      const instance = await preempting((on) => {
        on.run(handle, on.createContext(8, false), 1);
      });
      const text = `
      ldxdw %r6, [%r1]
      stxdw [%r10-8], %r6
      call 8
      ldxdw %r0, [%r10-8]
      exit`;
      handle = loadProgram(instance, link(text)).handle;
      const context = instance.createContext(8, true);
      instance.view.setBigUint64(context, 42n, true);
      expect(instance.run(handle, context, 0)).toBe(42);
    });

    it("may close the program that waits below them", async () => {
      let close = (): void => {};
      const instance = await preempting(() => close());
      const used = instance.exports.rt_memory_used();
      const program = loadProgram(instance, link(PREEMPTED));
      close = () => program.close();
      expect(instance.run(program.handle, 0, 0)).toBe(1);
      expect(() => instance.run(program.handle, 0, 0)).toThrow(/EBADF/);
      expect(instance.exports.rt_memory_used()).toBeLessThan(used + 64 * 1024);
    });

    it("that fault leave the outer run as it was", async () => {
      let broken = 0;
      const faults: unknown[] = [];
      const instance = await preempting((on) => {
        faults.push(faultOf(() => on.run(broken, 0, 1)));
      });
      broken = loadProgram(instance, link("mov %r1, 0\nldxdw %r0, [%r1]\nexit")).handle;
      const text = "stdw [%r10-8], 3\ncall 8\nldxdw %r0, [%r10-8]\nexit";
      const outer = loadProgram(instance, link(text)).handle;
      expect(instance.run(outer, 0, 0)).toBe(3);
      expect(faults).toHaveLength(1);
      expect(instance.run(outer, 0, 0)).toBe(3);
    });
  });

  describe("faults", () => {
    const location = (error: ProgramFault): number | undefined => error.location?.instruction;

    it.each([
      [
        "a load through NULL",
        "mov %r0, 0\nmov %r3, 0\nldxb %r0, [%r3+4]\nexit",
        2,
        /load of 1 byte/,
      ],
      ["a load past the context", "ldxw %r0, [%r1+6]\nexit", 0, /load of 4 bytes/],
      ["a store past the context", "mov %r0, 0\nstw [%r1+8], 1\nexit", 1, /store of 4 bytes/],
      [
        "a load with a high half",
        "ldxdw %r2, [%r1]\nlddw %r3, 0x100000000\nadd %r1, %r3\nldxdw %r0, [%r1]\nexit",
        4,
        /load of 8 bytes at 0x1/,
      ],
      [
        "a store with a high half",
        "lddw %r3, 0x100000000\nadd %r1, %r3\nstdw [%r1], 1\nexit",
        3,
        /store of 8 bytes at 0x1/,
      ],
      ["a misaligned atomic", "mov %r2, 1\nlock add32 [%r1+1], %r2\nexit", 1, /not aligned/],
      [
        "a misaligned compare-and-exchange",
        "mov %r0, 0\nmov %r2, 1\nlock cmpxchg32 [%r1+2], %r2\nexit",
        2,
        /not aligned/,
      ],
      ["a loop without end", "mov %r0, 0\nl:\nadd %r0, 1\nja l", 1, /budget/],
      ["a jump to itself", "mov %r0, 0\nmov %r1, 1\nl:\njne %r1, 0, l\nexit", 2, /budget/],
      [
        "the ninth frame",
        `call local f1\nexit\n${[1, 2, 3, 4, 5, 6, 7]
          .map((n) => `f${n}:\ncall local f${n + 1}\nexit`)
          .join("\n")}\nf8:\nmov %r0, 0\nexit`,
        14,
        /8 nested frames/,
      ],
    ])("%s names its instruction", async (_name, text, instruction, problem) => {
      const instance = await createInstance();
      const error = faultOf(() => runText(instance, text, new Uint8Array(8)));
      expect(location(error)).toBe(instruction);
      expect(error.message).toMatch(problem);
    });

    it("eight frames are not too many", async () => {
      const instance = await createInstance();
      const chain = [1, 2, 3, 4, 5, 6]
        .map((n) => `f${n}:\nstdw [%r10-512], ${n}\ncall local f${n + 1}\nexit`)
        .join("\n");
      const text = `stdw [%r10-512], 9\ncall local f1\nldxdw %r1, [%r10-512]\nadd %r0, %r1\nexit
      ${chain}\nf7:\nstdw [%r10-512], 8\nmov %r0, 1\nexit`;
      expect(runText(instance, text)).toBe(10n);
    });

    it("a store into a read-only context or map names its instruction", async () => {
      const instance = await createInstance();
      const context = instance.createContext(8, false);
      const program = loadProgram(instance, link("mov %r0, 0\nstxdw [%r1], %r0\nexit"));
      expect(location(faultOf(() => instance.run(program.handle, context)))).toBe(1);

      const array = createMap(instance, { flags: 1 << 7 });
      const data: Reference = { kind: "map_value", slot: 0, map: "array", offset: 0 };
      const writer = link("lddw %r1, 0\nldxdw %r0, [%r1]\nstw [%r1+4], 1\nexit", [data]);
      const loaded = loadProgram(instance, writer, { array });
      expect(location(faultOf(() => instance.run(loaded.handle, 0)))).toBe(3);
    });

    it("memory that a looked-up value does not have names its instruction", async () => {
      const instance = await createInstance();
      const array = createMap(instance, { valueSize: 12 });
      const text = (offset: number): string => `
      stw [%r10-4], 0
      mov %r2, %r10
      add %r2, -4
      lddw %r1, 0
      call 1
      jeq %r0, 0, out
      stw [%r0+${offset}], 1
      out:
      mov %r0, 3
      exit`;
      const inside = loadProgram(instance, link(text(8), [mapAt(3)]), { array });
      expect(instance.run(inside.handle, 0)).toBe(3);
      const beyond = loadProgram(instance, link(text(12), [mapAt(3)]), { array });
      expect(location(faultOf(() => instance.run(beyond.handle, 0)))).toBe(7);
    });

    it("a helper's argument names the call", async () => {
      const instance = await createInstance();
      const error = faultOf(() => runText(instance, "mov %r1, 8\nmov %r2, 0\ncall 1\nexit"));
      expect(location(error)).toBe(2);
      expect(error.message).toMatch(/argument 0x8/);
    });

    it("a record that is not submitted names the exit", async () => {
      const instance = await createInstance();
      const array = createMap(instance, { type: 27, keySize: 0, valueSize: 0, maxEntries: 4096 });
      const text = "lddw %r1, 0\nmov %r2, 8\nmov %r3, 0\ncall 131\nmov %r0, 0\nexit";
      const program = loadProgram(instance, link(text, [mapAt(0)]), { array });
      for (let run = 0; run < 3; run++) {
        const error = faultOf(() => instance.run(program.handle, 0));
        expect(location(error)).toBe(6);
        expect(error.message).toMatch(/not submitted/);
      }
    });

    it("name the poisoned instruction and why it is", async () => {
      const instance = await createInstance();
      const program = link("call 195896080\nexit");
      const poisoned = {
        ...program,
        poisoned: [{ slot: 0, reason: "struct task has no member x" }],
      };
      const loaded = loadProgram(instance, poisoned);
      const error = faultOf(() => instance.run(loaded.handle, 0));
      expect(location(error)).toBe(0);
      expect(error.message).toMatch(/struct task has no member x/);
    });

    it("name the source line where the object has one", async () => {
      const instance = await createInstance();
      const program = {
        ...link("mov %r3, 0\nldxb %r0, [%r3]\nexit"),
        lines: [
          { slot: 0, file: "a.bpf.c", line: 3, text: "  char *p = 0;" },
          { slot: 1, file: "a.bpf.c", line: 4, text: "  return *p;" },
        ],
      };
      const loaded = loadProgram(instance, program);
      expect(faultOf(() => instance.run(loaded.handle, 0)).message).toContain(
        "at a.bpf.c:4: return *p;",
      );
    });

    it("leave the instance as it was, however many", async () => {
      const instance = await createInstance();
      const text =
        "stdw [%r10-8], 1\ncall local f\nexit\nf:\nstdw [%r10-512], 1\nldxb %r0, [%r0]\nexit";
      const broken = loadProgram(instance, link(text));
      const stack = instance.exports.rt_stack_save();
      const used = instance.exports.rt_memory_used();
      faultOf(() => instance.run(broken.handle, 0));
      const usedOnce = instance.exports.rt_memory_used();
      for (let run = 0; run < 20_000; run++) faultOf(() => instance.run(broken.handle, 0));
      expect(instance.exports.rt_stack_save()).toBe(stack);
      expect(instance.exports.rt_memory_used()).toBe(usedOnce);
      expect(usedOnce - used).toBeLessThan(64 * 1024); // the run's stack, taken once
      expect(runText(instance, "mov %r0, 3\nexit")).toBe(3n);
    });
  });

  describe("budget", () => {
    it("stops after about as many instructions as it says, and can be raised", async () => {
      const instance = await createInstance();
      const text = "mov %r0, 0\nl:\nadd %r0, 1\njne %r0, 100000, l\nexit";
      instance.setBudget(199_000);
      expect(() => runText(instance, text)).toThrow(/budget/);
      instance.setBudget(201_000);
      expect(runText(instance, text)).toBe(100_000n);
    });

    it("counts functions that are called over and over", async () => {
      const instance = await createInstance();
      // 10 calls on each of 7 levels: ten million instructions without a loop.
      const level = (n: number): string =>
        `f${n}:\n${"call local f".concat(`${n + 1}\n`).repeat(10)}exit`;
      const text = `call local f1\nexit\n${[1, 2, 3, 4, 5, 6].map(level).join("\n")}\nf7:\nmov %r0, 0\nexit`;
      expect(() => runText(instance, text)).toThrow(/budget/);
    });
  });

  describe("callbacks", () => {
    const functionAt = (slot: number, target: number): Reference => ({
      kind: "function",
      slot,
      target,
    });

    it("of bpf_loop see their index and the caller's stack", async () => {
      const instance = await createInstance();
      const text = `
      stdw [%r10-8], 0
      mov %r1, 10
      lddw %r2, 0
      mov %r3, %r10
      add %r3, -8
      mov %r4, 0
      call 181
      ldxdw %r1, [%r10-8]
      lsh %r1, 8
      or %r0, %r1
      exit
      stdw [%r10-8], 99
      ldxdw %r3, [%r2]
      add %r3, %r1
      stxdw [%r2], %r3
      mov %r0, 0
      jne %r1, 8, +1
      mov %r0, 1
      exit`;
      const program = loadProgram(instance, link(text, [functionAt(2, 12)], [12]));
      instance.run(program.handle, 0);
      expect(instance.result64).toBe((36n << 8n) | 9n);
    });

    it("of one program are told apart, and run below each other", async () => {
      const instance = await createInstance();
      // Three rounds of a loop whose callback starts another loop of two rounds.
      const text = `
      stdw [%r10-8], 0
      mov %r1, 3
      lddw %r2, 0
      mov %r3, %r10
      add %r3, -8
      mov %r4, 0
      call 181
      ldxdw %r0, [%r10-8]
      exit
      stxdw [%r10-8], %r1
      mov %r6, %r2
      mov %r1, 2
      mov %r3, %r2
      lddw %r2, 0
      mov %r4, 0
      call 181
      ldxdw %r1, [%r10-8]
      ldxdw %r2, [%r6]
      add %r2, %r1
      stxdw [%r6], %r2
      mov %r0, 0
      exit
      stdw [%r10-8], 1000
      ldxdw %r3, [%r2]
      add %r3, 100
      stxdw [%r2], %r3
      mov %r0, 0
      exit`;
      const references = [functionAt(2, 10), functionAt(14, 24)];
      const program = loadProgram(instance, link(text, references, [10, 24]));
      expect(instance.run(program.handle, 0)).toBe(0 + 1 + 2 + 3 * 2 * 100);
    });

    it("that fault name their own instruction", async () => {
      const instance = await createInstance();
      const text = `
      mov %r1, 1
      lddw %r2, 0
      mov %r3, 0
      mov %r4, 0
      call 181
      exit
      ldxb %r0, [%r2+1]
      exit`;
      const program = loadProgram(instance, link(text, [functionAt(1, 7)], [7]));
      expect(faultOf(() => instance.run(program.handle, 0)).location?.instruction).toBe(7);
    });

    it("are nothing but what an LDDW of the program names", async () => {
      const instance = await createInstance();
      const text = "mov %r1, 1\nmov %r2, 4096\nmov %r3, 0\nmov %r4, 0\ncall 181\nexit";
      expect(() => runText(instance, text)).toThrow(/instruction 4 .*argument 0x1000/);
    });
  });

  describe("loading", () => {
    it.each([
      ["an unknown helper", "call 9999\nexit", /instruction 0: unknown helper 9999/],
      ["a stack access below the frame", "stdw [%r10-520], 1\nexit", /instruction 0: stack access/],
      ["a stack access above the frame", "ldxb %r0, [%r10]\nexit", /instruction 0: stack access/],
      ["a jump out of the program", "ja +5\nexit", /instruction 0: jump to slot 6/],
      ["a program that falls off its end", "mov %r0, 0", /instruction 0: .*falls off/],
      ["a write of the frame pointer", "mov %r10, 0\nexit", /instruction 0: .*read-only/],
    ])("refuses %s and leaves nothing behind", async (_name, text, problem) => {
      const instance = await createInstance();
      const used = instance.exports.rt_memory_used();
      expect(() => loadProgram(instance, link(text))).toThrow(VerifierError);
      expect(() => loadProgram(instance, link(text))).toThrow(problem);
      expect(instance.exports.rt_memory_used()).toBe(used);
    });

    it("gives back all memory when a program is closed", async () => {
      const instance = await createInstance();
      const used = instance.exports.rt_memory_used();
      const text = "mov %r1, 1\nlddw %r2, 0\ncall 181\nexit\nmov %r0, 0\nexit";
      const reference: Reference = { kind: "function", slot: 1, target: 5 };
      for (let count = 0; count < 50; count++) {
        const program = loadProgram(instance, link(text, [reference], [5]));
        expect(program.memoryBytes).toBeGreaterThan(0);
        program.close();
      }
      expect(instance.exports.rt_memory_used()).toBe(used);
    });
  });
});
