/** What `load` says about programs that no kernel would take, and about those that fail as they run. */
import { afterEach, expect, it } from "vitest";
import type { OpenOptions } from "#core/backend.ts";
import { VerifierError } from "#core/errors.ts";
import { createWasmBackend, type WasmBackend } from "#wasm/backend.ts";
import { loadRuntimeModule } from "#wasm/load_runtime.ts";
import { compileBpf } from "../support/clang.ts";
import { thrown } from "../support/thrown.ts";

const HEADER = `#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
`;

let backend: WasmBackend | undefined;
afterEach(() => backend?.close());

async function open(source: string, options: OpenOptions = {}) {
  const kernelTypes = compileBpf("backends/wasm/world/kernel_types.c");
  backend = await createWasmBackend({ runtime: await loadRuntimeModule(), kernelTypes });
  return backend.open(compileBpf(HEADER + source), options);
}

it("a store below the stack is refused with its text and line", async () => {
  const object = await open(`SEC("raw_tp/x") int f(void *context)
{
	asm volatile("*(u64 *)(r10 - 520) = r1");
	return 0;
}`);
  const error = thrown(() => object.load());
  expect(error).toBeInstanceOf(VerifierError);
  expect(error.message).toMatch(
    /load program f: instruction 0 \(\*\(u64 \*\)\(r10 - 520\) = r1\) at .*:6: accesses 8 bytes/,
  );
});

const GUARDED = `const volatile int mode = 0;
SEC("raw_tp/x") int f(void *context)
{ return mode ? bpf_sk_lookup_tcp(context, 0, 0, 0, 0) != 0 : 7; }`;

it("a helper that does not exist may stand where a setting rules it out", async () => {
  const object = await open(GUARDED);
  object.load();
  expect(object.programs.get("f")!.run(new Uint8Array(8)).returnValue).toBe(7);
});

it("and is refused where the setting lets it in", async () => {
  const object = await open(GUARDED, { constants: { mode: 1 } });
  expect(thrown(() => object.load()).message).toMatch(
    /\(call bpf_sk_lookup_tcp\) at .*: bpf_sk_lookup_tcp \(helper 84\) does not exist here/,
  );
});

it("what could not be relocated fails as it runs, and says what was missing", async () => {
  const object = await open(`struct task_struct { int no_such_field; }
__attribute__((preserve_access_index));
SEC("raw_tp/x") int f(struct task_struct *task) { return task->no_such_field; }`);
  object.load();
  expect(thrown(() => object.programs.get("f")!.run(new Uint8Array(8))).message).toMatch(
    /instruction 0 \(call helper 195896080\).*CO-RE relocation \(byte offset of struct task_struct\.no_such_field\)/,
  );
});
