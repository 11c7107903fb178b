/** Every sequence of choices that an algorithm can make, with its exact probability. */
import { Rational } from "../../../support/rational.ts";

/** What an algorithm asks of its source of randomness. */
export interface Choices {
  chance(p: number): boolean;
  below(limit: number): number;
}

export interface Path<Result> {
  readonly result: Result;
  readonly probability: Rational;
}

/** Runs `body` once for every path. */
export function everyPath<Result>(body: (choices: Choices) => Result): Path<Result>[] {
  const paths: Path<Result>[] = [];
  const tape: number[] = [];
  const options: number[] = [];
  for (;;) {
    let [position, probability] = [0, Rational.ONE];
    /** The next choice on the tape, of as many as there are weights. */
    const choose = (weights: readonly Rational[]): number => {
      if (position === tape.length) tape.push(0);
      options[position] = weights.length;
      const chosen = tape[position++]!;
      probability = probability.times(weights[chosen]!);
      return chosen;
    };
    const result = body({
      chance(p) {
        if (p <= 0 || p >= 1) return p >= 1;
        return choose([Rational.of(p), Rational.ONE.minus(Rational.of(p))]) === 0;
      },
      below(limit) {
        return choose(new Array<Rational>(limit).fill(new Rational(1n, BigInt(limit))));
      },
    });
    paths.push({ result, probability });
    while (tape.length > 0 && tape.at(-1) === options[tape.length - 1]! - 1) tape.pop();
    if (tape.length === 0) return paths;
    tape[tape.length - 1]! += 1;
  }
}
