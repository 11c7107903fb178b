/**
 * Translates recorded hook contexts from the layout of the kernel that recorded them to the layout
 * of the simulated one.
 */
import type { Btf } from "#core/btf/btf.ts";
import { elementOf, type Layout, layoutOf } from "#core/btf/layout.ts";
import { findType } from "#core/btf/queries.ts";
import { BpfError } from "#core/errors.ts";
import type { HookField, HookLayout } from "#core/trace/schema.ts";

interface FieldCopy {
  readonly from: number;
  readonly to: number;
  readonly size: number;
  readonly targetSize: number;
  readonly signed: boolean;
  readonly count: number;
}

export interface ContextPlan {
  /** Bytes of the recorded context and of the simulated kernel's. */
  readonly recordedSize: number;
  readonly size: number;
  /** Both layouts are the same: contexts are copied whole. */
  readonly identical: boolean;
  /** Writes the context at `from` of `source`, translated, to `to` of `target` (already zero). */
  translate(source: Uint8Array, from: number, target: Uint8Array, to: number): void;
}

function copyInteger(
  source: Uint8Array,
  from: number,
  target: Uint8Array,
  to: number,
  field: FieldCopy,
): void {
  const shared = Math.min(field.size, field.targetSize);
  for (let i = 0; i < shared; i++) target[to + i] = source[from + i]!;
  const negative = field.signed && source[from + field.size - 1]! >= 0x80;
  for (let i = shared; i < field.targetSize; i++) target[to + i] = negative ? 0xff : 0;
}

function fieldCopies(recorded: readonly HookField[], layout: Layout): FieldCopy[] {
  const copies: FieldCopy[] = [];
  for (const field of recorded) {
    const target = layout.fields.find(({ path }) => path === field.name);
    // A field that this kernel does not have is of no use to a program here.
    if (target === undefined) continue;
    const element = target.kind === "array" ? elementOf(layout.btf, target, 0) : target;
    const count = Math.min(field.count, target.size / element.size);
    const { offset: from, size, signed } = field;
    copies.push({ from, to: target.offset, size, targetSize: element.size, signed, count });
  }
  return copies;
}

function sameLayout(hook: HookLayout, size: number, copies: readonly FieldCopy[]): boolean {
  const unmoved = copies.every((copy) => copy.from === copy.to && copy.size === copy.targetSize);
  return hook.size === size && copies.length === hook.fields.length && unmoved;
}

/**
 * The simulated kernel's struct of the hook's context. Older kernels let several tracepoints share an
 * event class, whose name the recording then has; ours are named by the tracepoint.
 */
function contextStruct(kernel: Btf, { struct, hook }: HookLayout): number | undefined {
  const own = `trace_event_raw_${hook.slice(hook.lastIndexOf("/") + 1)}`;
  return findType(kernel, struct, "struct") ?? findType(kernel, own, "struct");
}

const AF_INET = 2;
const AF_INET6 = 10;
/** ::ffff:0:0/96, in front of an IPv4 address. */
const MAPPED_PREFIX = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

/**
 * Before Linux 5.16 tcp_retransmit_skb does not say the address family, but its IPv6 address is mapped
 * where the socket speaks IPv4. Undefined where there is nothing to add.
 */
function familyCompletion(recorded: readonly HookField[], layout: Layout) {
  const target = layout.fields.find(({ path }) => path === "family");
  const address = recorded.find(({ name }) => name === "saddr_v6");
  const known = recorded.some(({ name }) => name === "family");
  if (target === undefined || address === undefined || known) return undefined;
  return (source: Uint8Array, from: number, bytes: Uint8Array, to: number): void => {
    const mapped = MAPPED_PREFIX.every((byte, i) => source[from + address.offset + i] === byte);
    bytes[to + target.offset] = mapped ? AF_INET : AF_INET6;
  };
}

/** Throws `BpfError` where the simulated kernel has no such context. */
export function createContextPlan(kernel: Btf, hook: HookLayout): ContextPlan {
  const id = contextStruct(kernel, hook);
  if (id === undefined) {
    throw new BpfError(`replay ${hook.hook}`, `the simulated kernel has no struct ${hook.struct}`, {
      hint: "add it to the simulated kernel's types",
    });
  }
  const layout = layoutOf(kernel, id);
  const copies = fieldCopies(hook.fields, layout);
  const complete = familyCompletion(hook.fields, layout);
  return {
    recordedSize: hook.size,
    size: layout.size,
    identical: complete === undefined && sameLayout(hook, layout.size, copies),
    translate(source, from, target, to) {
      for (const copy of copies) {
        for (let i = 0; i < copy.count; i++) {
          const start = from + copy.from + i * copy.size;
          copyInteger(source, start, target, to + copy.to + i * copy.targetSize, copy);
        }
      }
      complete?.(source, from, target, to);
    },
  };
}
