/**
 * Sampling in the OpenTelemetry entry of a W3C `tracestate` (OTEP 235): `th`, the rejection
 * threshold in 1 to 14 lower-case hexadecimal digits without trailing zeros, and `rv`, the explicit
 * randomness in exactly 14.
 *
 * Whoever samples again may only raise a threshold (`equalize`, `proportion`). Whoever loses events
 * with an unknown probability has to erase it.
 */
import { BpfError } from "#core/errors.ts";
import {
  KEEP_LEAST,
  rateFromThreshold,
  THRESHOLD_LIMIT,
  THRESHOLD_MASK,
  thresholdFromRate,
} from "./threshold.ts";

const DIGITS = 14;
const ENTRY_LENGTH_MAX = 256;
const MEMBERS_MAX = 32;
const THRESHOLD_TEXT = /^[0-9a-f]{1,14}$/;
const RANDOMNESS_TEXT = /^[0-9a-f]{14}$/;
const SUB_KEY = /^[a-z][a-z0-9]*$/;
const SUB_VALUE = /^[A-Za-z0-9._-]*$/;

/** What the OpenTelemetry entry says of sampling; what is absent or malformed is undefined. */
export interface TraceSampling {
  readonly threshold: bigint | undefined;
  readonly randomness: bigint | undefined;
}

/** `th` of a threshold: all 56 bits, trailing zeros left out. */
export function encodeThreshold(threshold: bigint): string {
  requireBits("th", threshold);
  return digits(threshold).replace(/0+$/, "") || "0";
}

/** The threshold of a `th`, or undefined for text that is none. */
export function decodeThreshold(text: string): bigint | undefined {
  return THRESHOLD_TEXT.test(text) ? BigInt(`0x${text.padEnd(DIGITS, "0")}`) : undefined;
}

export function encodeRandomness(randomness: bigint): string {
  requireBits("rv", randomness);
  return digits(randomness);
}

/** R of an `rv`, or undefined for text that is none. */
export function decodeRandomness(text: string): bigint | undefined {
  return RANDOMNESS_TEXT.test(text) ? BigInt(`0x${text}`) : undefined;
}

/**
 * The threshold of a rate, rounded half up to `precision` digits, leading `f` not counted: what the
 * specification's example computes, to the digit. Where that would round a rate below 1 to 1 (and
 * the example yields no digits at all), leading `0` are not counted either.
 */
export function thresholdWithPrecision(rate: number, precision: number): bigint {
  if (!(Number.isInteger(precision) && precision >= 1 && precision <= DIGITS)) {
    throw new BpfError("encode threshold", `precision is ${precision}`, {
      hint: `give a whole number of digits from 1 to ${DIGITS}`,
    });
  }
  const exact = thresholdFromRate(rate);
  const rounded = roundDigits(exact, precision + leadingDigits(THRESHOLD_LIMIT - exact));
  return rounded === 0n ? roundDigits(exact, precision + leadingDigits(exact)) : rounded;
}

/** To the first `count` of 14 digits; never up to 2^56, which is no threshold. */
function roundDigits(threshold: bigint, count: number): bigint {
  if (count >= DIGITS) return threshold;
  const unit = 1n << BigInt(4 * (DIGITS - count));
  const rounded = ((threshold + unit / 2n) / unit) * unit;
  return rounded >= THRESHOLD_LIMIT ? KEEP_LEAST : rounded;
}

/** Zero digits in front of a 56-bit number; those in front of 2^56 - T are the `f` in front of T. */
function leadingDigits(value: bigint): number {
  return Math.floor((56 - bitLength(value)) / 4);
}

/** As `frexp` has it: bits of the number, of 0 none. */
function bitLength(value: bigint): number {
  return value === 0n ? 0 : value.toString(2).length;
}

/**
 * An equalizing sampler with threshold `wanted` met an event of threshold `threshold`: the outgoing
 * threshold, or undefined where the event is rejected.
 */
export function equalize(
  threshold: bigint,
  wanted: bigint,
  randomness: bigint,
): bigint | undefined {
  const outgoing = threshold > wanted ? threshold : wanted;
  return randomness >= outgoing ? outgoing : undefined;
}

/**
 * A sampler that keeps a fraction `rate` of whatever reaches it: the outgoing threshold, or
 * undefined where the event is rejected or the probability would be too small to say.
 */
export function proportion(
  threshold: bigint,
  rate: number,
  randomness: bigint,
): bigint | undefined {
  const product = rate * rateFromThreshold(threshold);
  if (product * 2 ** 56 < 1) return undefined;
  return equalize(threshold, thresholdFromRate(product), randomness);
}

/** What a whole `tracestate` header says of sampling. */
export function readTracestate(header: string): TraceSampling {
  const entry = members(header).find(({ key }) => key === "ot")?.value ?? "";
  const fields = subKeys(entry);
  const threshold = fields.get("th");
  const randomness = fields.get("rv");
  return {
    threshold: threshold === undefined ? undefined : decodeThreshold(threshold),
    randomness: randomness === undefined ? undefined : decodeRandomness(randomness),
  };
}

/**
 * The header with its sampling fields replaced; undefined erases one. Other fields and other
 * vendors' entries stay; the changed entry moves to the front, as W3C asks. Throws `BpfError` where
 * the entry would be longer than 256 characters; the header is then the caller's, unchanged.
 */
export function writeTracestate(header: string, sampling: TraceSampling): string {
  const list = members(header);
  const fields = subKeys(list.find(({ key }) => key === "ot")?.value ?? "");
  fields.delete("th");
  fields.delete("rv");
  if (sampling.threshold !== undefined) fields.set("th", encodeThreshold(sampling.threshold));
  if (sampling.randomness !== undefined) fields.set("rv", encodeRandomness(sampling.randomness));
  const entry = [...fields].map(([key, value]) => `${key}:${value}`).join(";");
  if (entry.length > ENTRY_LENGTH_MAX) {
    throw new BpfError("write tracestate", `its ot entry would have ${entry.length} characters`, {
      hint: `at most ${ENTRY_LENGTH_MAX} are allowed; drop other fields`,
    });
  }
  const others = list.filter(({ key }) => key !== "ot").map(({ text }) => text);
  const all = entry === "" ? others : [`ot=${entry}`, ...others];
  return all.slice(0, MEMBERS_MAX).join(",");
}

interface Member {
  readonly key: string;
  readonly value: string;
  readonly text: string;
}

function members(header: string): Member[] {
  const list: Member[] = [];
  for (const part of header.split(",")) {
    const text = part.trim();
    const equals = text.indexOf("=");
    if (equals > 0) {
      list.push({ key: text.slice(0, equals), value: text.slice(equals + 1), text });
    }
  }
  return list;
}

/** Fields of an `ot` entry. One that breaks the grammar, or comes twice, makes the entry void. */
function subKeys(entry: string): Map<string, string> {
  const fields = new Map<string, string>();
  if (entry === "" || entry.length > ENTRY_LENGTH_MAX) return fields;
  for (const part of entry.split(";")) {
    const colon = part.indexOf(":");
    const key = part.slice(0, Math.max(0, colon));
    const value = part.slice(colon + 1);
    if (!SUB_KEY.test(key) || !SUB_VALUE.test(value) || fields.has(key)) return new Map();
    fields.set(key, value);
  }
  return fields;
}

function digits(value: bigint): string {
  return value.toString(16).padStart(DIGITS, "0");
}

function requireBits(field: string, value: bigint): void {
  if (value >= 0n && value <= THRESHOLD_MASK) return;
  throw new BpfError(`encode ${field}`, `${value} has more than 56 bits`, {
    hint: "give a number from 0 to 2^56 - 1",
  });
}
