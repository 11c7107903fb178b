import { BpfError, type BpfErrorOptions, ERRNO } from "#core/errors.ts";
import { printable } from "./printable.ts";

/** The error of an object that cannot be opened or linked: EINVAL unless `options` say otherwise. */
export function openError(
  object: string,
  problem: string,
  options: BpfErrorOptions = {},
): BpfError {
  return new BpfError(`open ${object}`, printable(problem), { errno: ERRNO.EINVAL, ...options });
}

/**
 * Runs `parse`; a `BpfError` that it throws (from a parser that does not know the object) becomes
 * one of `open <object>`, with the original as its cause.
 */
export function withOpenErrors<T>(object: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof BpfError) || error.operation === `open ${object}`) throw error;
    throw openError(object, error.message, { cause: error });
  }
}
