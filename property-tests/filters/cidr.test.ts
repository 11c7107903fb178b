/** Which addresses a network holds, as an independent library says. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import ipaddr from "ipaddr.js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { checkAsyncProperty } from "#property-tests/property.ts";
import { createWasmBackend, type WasmBackend } from "#wasm/backend.ts";
import { loadRuntimeModule } from "#wasm/load_runtime.ts";
import { addressValue, type DescribedEvent } from "./evaluator.ts";
import { Judge } from "./judge.ts";
import { capacities } from "./pairs.ts";

let backend: WasmBackend;
let judge: Judge;
beforeAll(async () => {
  backend = await createWasmBackend({
    runtime: await loadRuntimeModule(),
    kernelTypes: readFileSync("build/wasm/kernel_types.bpf.o"),
  });
  judge = new Judge(backend, capacities(4), 1);
});
afterAll(() => backend.close());

type Parsed = ipaddr.IPv4 | ipaddr.IPv6;

/** An address, a prefix length, and addresses that share some of its first bits. */
const plans = fc.constantFrom(4, 16).chain((length) =>
  fc.record({
    bytes: fc.uint8Array({ minLength: length, maxLength: length }),
    prefix: fc.oneof(fc.constantFrom(0, length * 8), fc.nat(length * 8)),
    others: fc.array(
      fc.record({
        shared: fc.nat(length * 8),
        rest: fc.uint8Array({ minLength: length, maxLength: length }),
      }),
      { minLength: 40, maxLength: 40 },
    ),
  }),
);

function mixed(bytes: Uint8Array, rest: Uint8Array, shared: number): number[] {
  return Array.from(bytes, (byte, i) => {
    const kept = 0xff & ~(0xff >> Math.min(Math.max(shared - i * 8, 0), 8));
    return (byte & kept) | (rest[i]! & ~kept & 0xff);
  });
}

function eventTo(address: Parsed): DescribedEvent {
  const family = address.kind() === "ipv4" ? 4 : 6;
  const value = address.toByteArray().reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
  const namespaces = { pid: 1, net: 1, mnt: 1, uts: 1, ipc: 1, cgroup: 1, user: 1 };
  const end = { address: value, port: 1 };
  const network = { family, protocol: 6, source: end, destination: end } as const;
  return { pid: 1, uid: 1, namespaces, cgroups: [], command: "x", network };
}

test("networks hold what ipaddr.js says", { timeout: 7_200_000 }, async () => {
  let inside = 0;
  const property = fc.asyncProperty(plans, async ({ bytes, prefix, others }) => {
    const parsed = ipaddr.fromByteArray(Array.from(bytes));
    const text = `${parsed.toString()}/${prefix}`;
    const network =
      parsed.kind() === "ipv4"
        ? ipaddr.IPv4.networkAddressFromCIDR(text)
        : ipaddr.IPv6.networkAddressFromCIDR(text);
    const cidr = `${network.toString()}/${prefix}`;
    await judge.filters.replaceAll([
      { type: "network", cidr, endpoint: "source", action: "allow" },
    ]);
    const addresses = others.map(({ rest, shared }) =>
      ipaddr.fromByteArray(mixed(bytes, rest, shared)),
    );
    const verdicts = judge.judge(addresses.map(eventTo));
    addresses.forEach((address, i) => {
      const holds = (address as ipaddr.IPv6).match(network as ipaddr.IPv6, prefix);
      if (holds) inside++;
      if (verdicts[i]!.pass !== holds) {
        throw new Error(
          `${cidr} and ${address.toString()}: ${verdicts[i]!.pass}, expected ${holds}`,
        );
      }
    });
  });
  await checkAsyncProperty("filter networks", property);
  expect(inside).toBeGreaterThan(0);
});

test("addresses are read as ipaddr.js reads them", () => {
  for (const text of ["::", "::1", "1::", "2001:db8::7", "fe80::1:2:3", "192.0.2.1"]) {
    const { value } = addressValue(text);
    const bytes = ipaddr.parse(text).toByteArray();
    expect(value).toBe(bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n));
  }
});
