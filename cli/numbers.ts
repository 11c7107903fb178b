/** Numbers from the command line. */
import { UsageError } from "./usage_error.ts";

/** `Number` takes blanks for 0. */
function blank(value: string | boolean): boolean {
  return String(value).trim() === "";
}

/** An integer option within [least, most]; `fallback` where it is not given. */
export function integerOption(
  name: string,
  value: string | boolean | undefined,
  range: readonly [number, number],
  fallback: number,
): number {
  if (value === undefined) return fallback;
  const number = Number(value);
  if (!blank(value) && Number.isInteger(number) && number >= range[0] && number <= range[1]) {
    return number;
  }
  throw new UsageError(`--${name} ${value}: give a whole number from ${range[0]} to ${range[1]}`);
}

/** A number of seconds above 0, or from `least` on; undefined where it is not given. */
export function secondsOption(
  name: string,
  value: string | boolean | undefined,
  least?: number,
): number | undefined {
  if (value === undefined) return undefined;
  const seconds = Number(value);
  const enough = least === undefined ? seconds > 0 : seconds >= least;
  if (!blank(value) && Number.isFinite(seconds) && enough) return seconds;
  const range = least === undefined ? "above 0" : `from ${least} on`;
  throw new UsageError(`--${name} ${value}: give a number of seconds ${range}`);
}
