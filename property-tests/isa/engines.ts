/** What can execute a bare program here: the reference interpreter and the engines of the VM. */

import { existsSync } from "node:fs";
import { execute, type Helper } from "#property-tests/isa/reference.ts";

export interface Engine {
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

export const REFERENCE: Engine = {
  name: "reference",
  async run(program, memory) {
    return execute(program, { memory: memory.slice(), helpers: REFERENCE_HELPERS });
  },
};

type VmExec = (request: {
  readonly memoryHex: string;
  readonly programHex: string;
  readonly engine: string;
}) => Promise<string>;

/** The reference first, then every engine that `cli/vm_exec.ts` offers. */
export async function availableEngines(): Promise<Engine[]> {
  const url = new URL("../../cli/vm_exec.ts", import.meta.url);
  if (!existsSync(url)) return [REFERENCE];
  const { vmExec } = (await import(url.href)) as { readonly vmExec: VmExec };
  return [REFERENCE, vmEngine("ubpf", vmExec)];
}

function vmEngine(name: string, vmExec: VmExec): Engine {
  return {
    name,
    async run(program, memory) {
      const answer = await vmExec({
        memoryHex: Buffer.from(memory).toString("hex"),
        programHex: Buffer.from(program).toString("hex"),
        engine: name,
      });
      return BigInt(answer.startsWith("0x") ? answer : `0x${answer}`);
    },
  };
}
