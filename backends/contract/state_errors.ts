/** What objects and programs say when they are used before `load()` or after `close()`. */
import { BpfError, ERRNO } from "#core/errors.ts";

/** The error of `operation` on a program that is closed, or not loaded yet. */
export function programStateError(operation: string, name: string, closed: boolean): BpfError {
  const state = closed ? "closed" : "not loaded";
  return new BpfError(`${operation} of program ${name}`, `the object is ${state}`, {
    errno: ERRNO.EBADF,
    ...(closed ? {} : { hint: "call load() first" }),
  });
}

/** The error of a `load()` that is the second, or comes after `close()`. */
export function objectStateError(name: string, state: "loaded" | "closed"): BpfError {
  return new BpfError(`load ${name}`, `the object is ${state}`, {
    errno: state === "closed" ? ERRNO.EBADF : ERRNO.EBUSY,
  });
}
