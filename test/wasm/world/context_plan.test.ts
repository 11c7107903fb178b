import { expect, it } from "vitest";
import { readArtifact } from "#cli/artifacts.ts";
import { parseBtf } from "#core/btf/parse.ts";
import { LINUX_6_18_HOOKS } from "#core/trace/linux_hooks.ts";
import type { HookField, HookLayout } from "#core/trace/schema.ts";
import { parseElf } from "#wasm/loader/elf.ts";
import { createContextPlan } from "#wasm/world/context_plan.ts";

const elf = parseElf(readArtifact("wasm/kernel_types.bpf.o"), "kernel types");
const kernel = parseBtf(elf.sections.find(({ name }) => name === ".BTF")!.data);
const SET_STATE = LINUX_6_18_HOOKS.inet_sock_set_state;

function fieldOf(hook: HookLayout, name: string): HookField {
  return hook.fields.find((field) => field.name === name)!;
}

/** A recording of some fields, one after the other, at their sizes or at others. */
function recorded(hook: HookLayout, changes: Readonly<Record<string, Partial<HookField>>>) {
  let size = 0;
  const fields = Object.entries(changes).map(([name, change]) => {
    const known = hook.fields.find((field) => field.name === name);
    const field = { ...(known ?? hook.fields[0]!), name, ...change, offset: size };
    size += field.size * field.count;
    return field;
  });
  return { ...hook, size, fields };
}

function translate(layout: HookLayout, context: readonly number[]): DataView {
  const plan = createContextPlan(kernel, layout);
  const target = new Uint8Array(4 + plan.size);
  plan.translate(Uint8Array.of(0xee, ...context), 1, target, 4);
  expect([...target.subarray(0, 4)]).toEqual([0, 0, 0, 0]);
  return new DataView(target.buffer, 4);
}

it.each(Object.values(LINUX_6_18_HOOKS))("$hook of Linux 6.18 is copied whole", (hook) => {
  const plan = createContextPlan(kernel, hook);
  expect(plan).toMatchObject({ identical: true, size: hook.size, recordedSize: hook.size });
});

it("fields move to where the simulated kernel has them", () => {
  const layout = recorded(SET_STATE, { dport: {}, saddr: {}, newstate: {} });
  const view = translate(layout, [0x90, 0x1f, 10, 0, 0, 1, 7, 0, 0, 0]);
  expect(createContextPlan(kernel, layout).identical).toBe(false);
  expect(view.getUint16(fieldOf(SET_STATE, "dport").offset, true)).toBe(8080);
  expect(view.getUint32(fieldOf(SET_STATE, "saddr").offset, false)).toBe(0x0a000001);
  expect(view.getInt32(fieldOf(SET_STATE, "newstate").offset, true)).toBe(7);
  expect(view.getInt32(fieldOf(SET_STATE, "oldstate").offset, true)).toBe(0);
});

it("a narrower number widens by its sign, a wider one keeps its low bytes", () => {
  const ret = fieldOf(LINUX_6_18_HOOKS.sys_exit, "ret");
  const narrow = (signed: boolean) =>
    recorded(LINUX_6_18_HOOKS.sys_exit, { ret: { size: 4, signed } });
  const minus2 = [0xfe, 0xff, 0xff, 0xff];
  expect(translate(narrow(true), minus2).getBigInt64(ret.offset, true)).toBe(-2n);
  expect(translate(narrow(false), minus2).getBigInt64(ret.offset, true)).toBe(0xffff_fffen);
  const wide = recorded(SET_STATE, { newstate: { size: 8, signed: true } });
  const view = translate(wide, [0xfe, 0xff, 0xff, 0xff, 1, 2, 3, 4]);
  expect(view.getInt32(fieldOf(SET_STATE, "newstate").offset, true)).toBe(-2);
});

it("an array longer than the simulated kernel's is cut, a field that it lacks left out", () => {
  const layout = recorded(SET_STATE, { saddr: { count: 6 }, no_such_field: { size: 2, count: 1 } });
  const view = translate(layout, [1, 2, 3, 4, 5, 6, 0xaa, 0xaa]);
  const { offset } = fieldOf(SET_STATE, "saddr");
  const bytes = new Uint8Array(view.buffer, view.byteOffset);
  expect([...bytes.subarray(offset, offset + 4)]).toEqual([1, 2, 3, 4]);
  expect(bytes.filter((byte) => byte !== 0).length).toBe(4);
});

it("a retransmit of a kernel before 5.16 gets its family from the address", () => {
  const hook = {
    ...recorded(LINUX_6_18_HOOKS.tcp_retransmit_skb, { sport: {}, saddr_v6: {} }),
    struct: "trace_event_raw_tcp_event_sk_skb",
  };
  const family = fieldOf(LINUX_6_18_HOOKS.tcp_retransmit_skb, "family").offset;
  const mapped = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1];
  expect(translate(hook, [0x90, 0x1f, ...mapped]).getUint16(family, true)).toBe(2);
  const other = [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1];
  expect(translate(hook, [0x90, 0x1f, ...other]).getUint16(family, true)).toBe(10);
});
