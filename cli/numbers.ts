/** Numbers from the command line. */
import { UsageError } from "./usage_error.ts";

/** An integer option within [least, most]; `fallback` where it is not given. */
export function integerOption(
  name: string,
  value: string | boolean | undefined,
  range: readonly [number, number],
  fallback: number,
): number {
  if (value === undefined) return fallback;
  const number = Number(value);
  if (value !== "" && Number.isInteger(number) && number >= range[0] && number <= range[1]) {
    return number;
  }
  throw new UsageError(`--${name} ${value}: give a whole number from ${range[0]} to ${range[1]}`);
}

/** A positive number of seconds; undefined where it is not given. */
export function secondsOption(
  name: string,
  value: string | boolean | undefined,
): number | undefined {
  if (value === undefined) return undefined;
  const seconds = Number(value);
  if (value !== "" && Number.isFinite(seconds) && seconds > 0) return seconds;
  throw new UsageError(`--${name} ${value}: give a number of seconds above 0`);
}
