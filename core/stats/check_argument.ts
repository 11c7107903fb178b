/** Refusal of arguments that make no statistical sense, in one voice. */

import { BpfError, ERRNO } from "#core/errors.ts";

function refuse(operation: string, problem: string, hint: string): never {
  throw new BpfError(operation, problem, { errno: ERRNO.EINVAL, hint });
}

/** Throws unless `value` is a finite number above 0. */
export function requirePositive(operation: string, name: string, value: number): void {
  if (value > 0 && value < Number.POSITIVE_INFINITY) return;
  refuse(operation, `${name} is ${value}`, `give a finite ${name} above 0`);
}

/** Throws unless `low <= value <= high`; NaN is refused. */
export function requireBetween(
  operation: string,
  name: string,
  value: number,
  low: number,
  high: number,
): void {
  if (value >= low && value <= high) return;
  refuse(operation, `${name} is ${value}`, `give a ${name} from ${low} to ${high}`);
}

/** Throws unless `value` is an integer with `low <= value <= high`. */
export function requireInteger(
  operation: string,
  name: string,
  value: number,
  low: number,
  high: number = Number.MAX_SAFE_INTEGER,
): void {
  if (Number.isInteger(value) && value >= low && value <= high) return;
  refuse(operation, `${name} is ${value}`, `give a whole ${name} from ${low} to ${high}`);
}

/** Throws unless `value` is a probability from 0 to 1. */
export function requireProbability(operation: string, name: string, value: number): void {
  requireBetween(operation, name, value, 0, 1);
}

/** Throws unless 0 < `confidence` < 1. */
export function requireConfidence(operation: string, confidence: number): void {
  if (confidence > 0 && confidence < 1) return;
  refuse(operation, `confidence is ${confidence}`, "give one between 0 and 1, such as 0.95");
}

/** Throws unless 0 <= `successes` <= `trials`, `trials` > 0, both finite. */
export function requireProportion(operation: string, successes: number, trials: number): void {
  requirePositive(operation, "trials", trials);
  requireBetween(operation, "successes", successes, 0, trials);
}
