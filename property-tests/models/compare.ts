/** How an answer is compared with the one a model expects. */

import { describeOutcome, type Outcome } from "#property-tests/conformance/map_call.ts";

/** The difference as a sentence, or undefined where both say the same. */
export function difference(expected: Outcome, actual: Outcome): string | undefined {
  if (JSON.stringify(inFixedOrder(expected)) === JSON.stringify(inFixedOrder(actual))) {
    return undefined;
  }
  return `expected ${describeOutcome(expected)}, got ${describeOutcome(actual)}`;
}

function inFixedOrder({ errno, value, keys, after, entries, processed }: Outcome): Outcome {
  return { errno, value, keys, after, entries, processed } as Outcome;
}

/**
 * The same, for maps whose order of iteration is their own: sets must be equal, and a walk from a
 * key must go on as the walk from the start went on after it, or restart where the key is absent.
 */
export function differenceUnordered(
  expected: Outcome,
  actual: Outcome,
  from: string | undefined,
): string | undefined {
  if (actual.after !== undefined && actual.keys !== undefined && from !== undefined) {
    const rest = actual.keys.slice(actual.keys.indexOf(from) + 1);
    if (rest.join() !== actual.after.join()) {
      const rule = actual.keys.includes(from) ? "go on after it" : "restart";
      return `a walk from ${from} must ${rule}: got ${describeOutcome(actual)}`;
    }
  }
  return difference(sorted(expected), sorted(actual));
}

function sorted(outcome: Outcome): Outcome {
  const { after: _checkedAlready, ...rest } = outcome;
  return {
    ...rest,
    ...(rest.keys === undefined ? {} : { keys: [...rest.keys].sort() }),
    ...(rest.entries === undefined
      ? {}
      : { entries: [...rest.entries].sort((a, b) => (a.join() < b.join() ? -1 : 1)) }),
  };
}
