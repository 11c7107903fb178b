/** `tapio-bpf bench NAME`: measures, prints JSON with machine and method, asserts nothing. */
import { BENCHES } from "../../bench/registry.ts";
import type { Command } from "../command.ts";
import { engineOption } from "../engine_option.ts";
import { integerOption } from "../numbers.ts";
import { UsageError } from "../usage_error.ts";

export const benchCommand: Command = {
  words: ["bench"],
  summary: `measures one thing and prints JSON: ${[...BENCHES.keys()].join(", ")}`,
  usage: "NAME [--trace FILE] [--engine aot|ubpf] [--rounds N] [-o json|table]",
  options: { trace: { type: "string" }, engine: { type: "string" }, rounds: { type: "string" } },
  positionals: [1, 1],
  async run({ options, positionals, output }) {
    const name = positionals[0]!;
    const bench = BENCHES.get(name);
    if (bench === undefined) {
      throw new UsageError(`bench ${name}: the benches are ${[...BENCHES.keys()].join(", ")}`);
    }
    const rounds = integerOption("rounds", options["rounds"], [1, 1000], bench.rounds);
    const { trace } = options;
    const engine = engineOption(options["engine"]);
    const result = await bench.run({
      rounds,
      engine,
      ...(typeof trace === "string" ? { trace } : {}),
    });
    console.log(JSON.stringify(result, null, output === "json" ? 0 : 2));
    return 0;
  },
};
