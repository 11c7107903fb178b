import { BpfError } from "#core/errors.ts";

/** The `BpfError` that `action` throws; any other outcome fails the test. */
export function thrown(action: () => unknown): BpfError {
  try {
    action();
  } catch (error) {
    if (error instanceof BpfError) return error;
    throw error;
  }
  throw new Error("expected a BpfError, but nothing was thrown");
}
