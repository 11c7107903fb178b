/** Cases for loads and stores: every size, at aligned, unaligned and negative offsets. */

import {
  CaseText,
  decimalOrHex,
  type GeneratedCase,
} from "#property-tests/isa/generate/case_text.ts";
import { signExtend } from "#property-tests/isa/reference_operations.ts";
import { SIZES } from "#property-tests/isa/sizes.ts";

/** 16 bytes whose signs alternate irregularly. */
const BYTES = [
  0x81, 0x02, 0x7f, 0xff, 0x80, 0x06, 0xf7, 0x78, 0x09, 0x8a, 0x0b, 0xfc, 0x7d, 0x8e, 0xff, 0x90,
];
const HEX = BYTES.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");

function littleEndian(at: number, length: number, bytes: readonly number[] = BYTES): bigint {
  const part = bytes.slice(at, at + length);
  return part.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

export function* memoryCases(): Generator<GeneratedCase> {
  for (const [suffix, length] of SIZES) {
    yield loads(`ldx${suffix}`, length, (value) => value).finish(`memory/ldx${suffix}`);
    yield loadsOverBase(`ldx${suffix}`, length, (value) => value).finish(
      `memory/ldx${suffix}-same-register`,
    );
    yield stores(suffix, length).finish(`memory/stx${suffix}`);
    yield storesImmediate(suffix, length).finish(`memory/st${suffix}`);
    if (suffix === "dw") continue;
    const extend = (value: bigint) => signExtend(value, length * 8);
    yield loads(`ldxs${suffix}`, length, extend).finish(`v4/ldxs${suffix}`);
    yield loadsOverBase(`ldxs${suffix}`, length, extend).finish(`v4/ldxs${suffix}-same-register`);
  }
  for (const [suffix, length] of SIZES) {
    yield loadAcquire(length).finish(`acquire_release/load_acquire${length * 8}`);
    yield storeRelease(suffix, length).finish(`acquire_release/store_release${length * 8}`);
  }
}

function loads(mnemonic: string, length: number, extend: (value: bigint) => bigint): CaseText {
  const text = new CaseText(`${mnemonic} at aligned, unaligned and negative offsets`).memory(HEX);
  for (const at of [0, 1, 3, 16 - length]) {
    text.add(`${mnemonic} %r3, [%r1+${at}]`).expect(3, extend(littleEndian(at, length)), 4);
  }
  text.add("mov %r3, %r1", "add %r3, 16", `${mnemonic} %r4, [%r3-${length + 3}]`);
  return text.expect(4, extend(littleEndian(13 - length, length)), 5);
}

/** The destination is the base register. */
function loadsOverBase(
  mnemonic: string,
  length: number,
  extend: (value: bigint) => bigint,
): CaseText {
  const text = new CaseText(`${mnemonic} into its own base register`).memory(HEX);
  text.add("mov %r6, %r1", `${mnemonic} %r6, [%r6+2]`);
  text.expect(6, extend(littleEndian(2, length)), 3);
  text.add(`${mnemonic} %r1, [%r1+0]`);
  return text.expect(1, extend(littleEndian(0, length)), 3);
}

/** The source register's upper bytes are cut off. */
function stores(suffix: string, length: number): CaseText {
  const text = new CaseText(`stx${suffix} changes its own bytes only`).memory(HEX);
  const after = [...BYTES];
  [0, 5, 16 - length].forEach((at, index) => {
    const source = 0xf1e2_d3c4_b5a6_9788n + BigInt(index);
    text.constant(2, source).add(`stx${suffix} [%r1+${at}], %r2`);
    writeLittleEndian(after, at, length, source);
  });
  return expectMemory(text, after);
}

function storesImmediate(suffix: string, length: number): CaseText {
  const text = new CaseText(`st${suffix} cuts the immediate off, or sign-extends it`).memory(HEX);
  const after = [...BYTES];
  for (const [at, value] of [
    [0, -2n],
    [5, 0x1234_5678n],
    [16 - length, -0x7654_3210n],
  ] as const) {
    text.add(`st${suffix} [%r1+${at}], ${decimalOrHex(value)}`);
    writeLittleEndian(after, at, length, value);
  }
  return expectMemory(text, after);
}

function writeLittleEndian(bytes: number[], at: number, length: number, value: bigint): void {
  for (let index = 0; index < length; index++) {
    bytes[at + index] = Number((value >> BigInt(index * 8)) & 0xffn);
  }
}

function expectMemory(text: CaseText, bytes: readonly number[]): CaseText {
  for (const at of [0, 8]) {
    text.add(`ldxdw %r3, [%r1+${at}]`).expect(3, littleEndian(at, 8, bytes), 4);
  }
  return text;
}

function loadAcquire(length: number): CaseText {
  const bits = length * 8;
  const text = new CaseText(`load_acquire${bits}: zero-extended`).memory(HEX);
  text.add(`load_acquire${bits} %r3, [%r1+8]`).expect(3, littleEndian(8, length), 4);
  text.add("mov %r5, %r1", "add %r5, 16", `load_acquire${bits} %r5, [%r5-16]`);
  return text.expect(5, littleEndian(0, length), 4);
}

function storeRelease(suffix: string, length: number): CaseText {
  const bits = length * 8;
  const text = new CaseText(`store_release${bits} changes its own bytes only`);
  const before = 0x8877_6655_4433_2211n;
  const source = 0xf1e2_d3c4_b5a6_9788n;
  const mask = (1n << BigInt(bits)) - 1n;
  text.constant(2, before).add("stxdw [%r10-8], %r2").constant(3, source);
  text.add(`store_release${bits} [%r10-8], %r3`, "ldxdw %r4, [%r10-8]");
  text.expect(4, (before & ~mask) | (source & mask), 5).expect(3, source, 5);
  return text.add(`ldx${suffix} %r4, [%r10-8]`).expect(4, source & mask, 5);
}
