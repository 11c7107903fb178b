/** What can execute a bare program here: the reference interpreter and the engines of the VM. */

import { vmExec } from "#cli/vm_exec.ts";
import { execute, type Helper } from "#property-tests/isa/reference.ts";
import { ENGINES } from "#wasm/engines/engines.ts";

export interface Executor {
  readonly name: string;
  /** Returns r0, unsigned; throws where the program is refused. `memory` is left as it was. */
  run(program: Uint8Array, memory: Uint8Array): Promise<bigint>;
}

/** Numbers of `enum bpf_func_id`. The answers of the reference are arbitrary. */
export const REFERENCE_HELPERS: ReadonlyMap<number, Helper> = new Map<number, Helper>([
  [5, () => 0x1122_3344_5566n], // bpf_ktime_get_ns
  [7, () => 0x89ab_cdefn], // bpf_get_prandom_u32
  [8, () => 0n], // bpf_get_smp_processor_id
  [14, () => 0x0000_1234_0000_5678n], // bpf_get_current_pid_tgid
]);

export const REFERENCE: Executor = {
  name: "reference",
  async run(program, memory) {
    return execute(program, { memory: memory.slice(), helpers: REFERENCE_HELPERS });
  },
};

/** The reference, and every engine through `vmExec`: a machine of its own for every program. */
export const EXECUTORS: readonly Executor[] = [
  REFERENCE,
  ...ENGINES.map(({ name }) => ({
    name,
    async run(program: Uint8Array, memory: Uint8Array): Promise<bigint> {
      const answer = await vmExec({
        memoryHex: Buffer.from(memory).toString("hex"),
        programHex: Buffer.from(program).toString("hex"),
        engine: name,
      });
      return BigInt(`0x${answer}`);
    },
  })),
];
