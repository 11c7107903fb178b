/** What the collectors' hooks may see, as values; `encodeContext` gives it a kernel's layout. */
import fc from "fast-check";
import type { Btf } from "#core/btf/btf.ts";
import { createCodec } from "#core/btf/codec.ts";
import { layoutOf } from "#core/btf/layout.ts";
import { findType } from "#core/btf/queries.ts";

export interface CollectorRun {
  readonly program: string;
  /** Structures of the context, the first that the kernel has. */
  readonly contexts: readonly string[];
  readonly fields: Readonly<Record<string, number | bigint | Uint8Array>>;
}

/** Few sockets, so that states meet again; and any. */
const socket = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(0xffff888000001000n, 0xffff888000002000n, 1n) },
  { weight: 1, arbitrary: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }) },
);
const state = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 1, max: 12 }) },
  { weight: 1, arbitrary: fc.constantFrom(0, 13, 255, 256) },
);
const family = fc.constantFrom(2, 2, 10, 0, 1);
const protocol = fc.oneof(
  { weight: 6, arbitrary: fc.constant(6) },
  { weight: 1, arbitrary: fc.constantFrom(0, 17, 132, 262) },
);
const port = fc.nat({ max: 0xffff });
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

const endpoints = {
  sport: port,
  dport: port,
  family,
  saddr: bytes(4),
  daddr: bytes(4),
  saddr_v6: bytes(16),
  daddr_v6: bytes(16),
};

const run = (
  program: string,
  contexts: readonly string[],
  fields: Record<string, fc.Arbitrary<number | bigint | Uint8Array>>,
): fc.Arbitrary<CollectorRun> =>
  fc.record({
    program: fc.constant(program),
    contexts: fc.constant(contexts),
    fields: fc.record(fields) as fc.Arbitrary<Record<string, number | bigint | Uint8Array>>,
  });

const RUNS: Readonly<Record<string, fc.Arbitrary<CollectorRun>>> = {
  tcp: fc.oneof(
    {
      weight: 5,
      arbitrary: run("tcp_state", ["trace_event_raw_inet_sock_set_state"], {
        skaddr: socket,
        oldstate: state,
        newstate: state,
        protocol,
        ...endpoints,
      }),
    },
    {
      weight: 2,
      arbitrary: run(
        "tcp_retransmit",
        ["trace_event_raw_tcp_retransmit_skb", "trace_event_raw_tcp_event_sk_skb"],
        { skaddr: socket, state, ...endpoints },
      ),
    },
  ),
  syscall: fc.oneof(
    run("syscall_enter", ["trace_event_raw_sys_enter"], {
      id: fc.oneof(fc.nat({ max: 3 }), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
    }),
    run("syscall_exit", ["trace_event_raw_sys_exit"], {
      id: fc.oneof(fc.nat({ max: 3 }), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
      ret: fc.oneof(
        fc.integer({ min: -4097, max: 4097 }),
        fc.constantFrom(-1, -4095, -4096, 0),
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      ),
    }),
  ),
};

/** Runs of one collector's programs. */
export function collectorRuns(collector: string): fc.Arbitrary<CollectorRun> {
  const runs = RUNS[collector];
  if (runs === undefined) throw new Error(`collector ${collector}: its contexts are not described`);
  return runs;
}

/**
 * `DIFFERENCES.retransmitFamily`: the run as far as a kernel can see it. Where a hook does not say the
 * family, programs read it at the socket's address: one of user space, where a kernel reads nothing.
 */
export function visibleTo(kernel: Btf, run: CollectorRun): CollectorRun {
  const { fields } = run;
  if (!(FAMILY in fields) || saysFamily(kernel, run)) return run;
  const skaddr = BigInt(fields["skaddr"] as bigint) & USER_ADDRESSES;
  return { ...run, fields: { ...fields, skaddr, [FAMILY]: 0 } };
}

/** Their lower half, so that what lies behind an address is one of them too. */
const USER_ADDRESSES = 2n ** 46n - 1n;

/** The context as the kernel with these types would hand it over. */
export function encodeContext(kernel: Btf, run: CollectorRun): Uint8Array {
  const codec = codecOf(kernel, contextOf(kernel, run));
  const context = new Uint8Array(codec.size);
  const { [FAMILY]: family, ...others } = run.fields;
  const said = family !== undefined && saysFamily(kernel, run);
  codec.encode(said ? { ...others, [FAMILY]: family } : others, context);
  return context;
}

const FAMILY = "family";

function saysFamily(kernel: Btf, run: CollectorRun): boolean {
  const { fields } = layoutOf(kernel, contextOf(kernel, run));
  return fields.some(({ path }) => path === FAMILY);
}

function contextOf(kernel: Btf, { contexts }: CollectorRun): number {
  const id = contexts
    .map((name) => findType(kernel, name, "struct"))
    .find((found) => found !== undefined);
  if (id === undefined) throw new Error(`the kernel has no ${contexts.join(", no ")}`);
  return id;
}

const CODECS = new WeakMap<Btf, Map<number, ReturnType<typeof createCodec>>>();

function codecOf(kernel: Btf, id: number) {
  const codecs = CODECS.get(kernel) ?? new Map<number, ReturnType<typeof createCodec>>();
  CODECS.set(kernel, codecs);
  const codec = codecs.get(id) ?? createCodec(kernel, id);
  codecs.set(id, codec);
  return codec;
}
