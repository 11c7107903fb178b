/**
 * Lookups in maps that compiled code does itself: in arrays, and in hash tables whose keys are single
 * words. What they do stands in runtime/map_array.c, map_hash_find.h and map_lru_hash.c.
 */
import { inFrame } from "#wasm/engines/flow_state.ts";
import type { ArrayPlace, HashPlace } from "#wasm/engines/register_flow.ts";
import {
  access,
  branchIf,
  constant32,
  constant64,
  type FunctionContext,
  getLocal,
  getRegister,
  loadFixed,
  openBlock,
  setLocal,
  setRegister,
  teeLocal,
} from "./function_context.ts";
import { TYPE, WASM } from "./wasm_opcodes.ts";

const ARRAY_KEY_BYTES = 4;
/** RT_HASH_KEY_OFFSET. */
const KEY_OFFSET = 8;
/** RT_HASH_MULTIPLIER. */
const MULTIPLIER = { low: 0x7f4a7c15, high: 0x9e3779b9 } as const;

/** Emits bpf_map_lookup_elem, with its result in r0; false where it must be called. */
export function emitMapLookup(context: FunctionContext, slot: number): boolean {
  const registers = context.findings.helperCalls.get(slot);
  if (registers === undefined) return false;
  const map = context.named.get(registers[1]!.map);
  if (map?.kind !== "map") return false;
  const { array, hash } = map;
  if (array !== undefined && inFrame(registers[2]!, ARRAY_KEY_BYTES)) {
    lookUpInArray(context, array);
  } else if (hash !== undefined && inFrame(registers[2]!, hash.keyBytes)) {
    lookUpInHash(context, hash);
  } else {
    return false;
  }
  setRegister(context, 0);
  return true;
}

function lookUpInArray(context: FunctionContext, array: ArrayPlace): void {
  const { out, locals, addresses } = context;
  const { address, entries, stride, cpuStride } = array;
  getRegister(context, 2);
  out.byte(WASM.i32_wrap_i64);
  access(context, WASM.i32_load, 0);
  teeLocal(context, locals.address32);
  constant32(context, stride);
  out.byte(WASM.i32_mul);
  constant32(context, address);
  out.byte(WASM.i32_add);
  if (cpuStride !== 0) {
    loadFixed(context, WASM.i32_load, addresses.inline.cpu);
    constant32(context, cpuStride);
    out.byte(WASM.i32_mul);
    out.byte(WASM.i32_add);
  }
  out.byte(WASM.i64_extend_i32_u);
  constant64(context, 0);
  getLocal(context, locals.address32);
  constant32(context, entries);
  out.byte(WASM.i32_lt_u);
  out.byte(WASM.select);
}

function lookUpInHash(context: FunctionContext, hash: HashPlace): void {
  const { out, locals } = context;
  const { address32 } = locals;
  firstOfBucket(context, hash);
  findInBucket(context, hash);
  if (hash.referencedOffset !== 0) {
    getLocal(context, address32);
    out.byte(WASM.if);
    out.byte(TYPE.none);
    getLocal(context, address32);
    constant32(context, 1);
    access(context, WASM.i32_store8, 0, hash.referencedOffset);
    out.byte(WASM.end);
  }
  getLocal(context, address32);
  constant32(context, hash.valueOffset);
  out.byte(WASM.i32_add);
  out.byte(WASM.i64_extend_i32_u);
  constant64(context, 0);
  getLocal(context, address32);
  out.byte(WASM.select);
}

/** The key comes into `value64`, the bucket's first element or 0 into `address32`. */
function firstOfBucket(
  context: FunctionContext,
  { keyBytes, bucketMask, buckets }: HashPlace,
): void {
  const { out, locals } = context;
  const { value64, address64, address32 } = locals;
  getRegister(context, 2);
  out.byte(WASM.i32_wrap_i64);
  access(context, keyBytes === 8 ? WASM.i64_load : WASM.i64_load32_u, 0);
  teeLocal(context, value64);
  if (keyBytes === 8) foldUpperHalf(context, value64);
  out.byte(WASM.i64_const);
  out.s64(MULTIPLIER.low, MULTIPLIER.high);
  out.byte(WASM.i64_mul);
  teeLocal(context, address64);
  foldUpperHalf(context, address64);
  out.byte(WASM.i32_wrap_i64);
  constant32(context, bucketMask);
  out.byte(WASM.i32_and);
  constant32(context, 2);
  out.byte(WASM.i32_shl);
  access(context, WASM.i32_load, 2, buckets);
  setLocal(context, address32);
}

/** `value ^ value >> 32` of what is on the stack and in `local`. */
function foldUpperHalf(context: FunctionContext, local: number): void {
  getLocal(context, local);
  constant64(context, 32);
  context.out.byte(WASM.i64_shr_u);
  context.out.byte(WASM.i64_xor);
}

/** Goes on to the element that has the key, or to the bucket's end. */
function findInBucket(context: FunctionContext, { keyBytes }: HashPlace): void {
  const { out, locals } = context;
  const { value64, address32 } = locals;
  openBlock(context);
  out.byte(WASM.loop);
  out.byte(TYPE.none);
  getLocal(context, address32);
  out.byte(WASM.i32_eqz);
  branchIf(context, 1);
  getLocal(context, address32);
  access(context, keyBytes === 8 ? WASM.i64_load : WASM.i64_load32_u, 2, KEY_OFFSET);
  getLocal(context, value64);
  out.byte(WASM.i64_eq);
  branchIf(context, 1);
  getLocal(context, address32);
  access(context, WASM.i32_load, 2);
  setLocal(context, address32);
  out.byte(WASM.br);
  out.u32(0);
  out.byte(WASM.end);
  out.byte(WASM.end);
}
