/** Objects that say nothing of their source. */
import { BpfError } from "#core/errors.ts";
import type { TracedProgram } from "#wasm/tracing/traced_program.ts";
import type { TraceListener } from "#wasm/tracing/tracer.ts";

/**
 * Says once for each program that has no source lines that there are only instructions to see. Throws
 * `BpfError` where lines are all that is `required`.
 */
export function checkLines(required: boolean, warn: (message: string) => void): TraceListener {
  const seen = new Set<TracedProgram>();
  return {
    begin: (_, { program }) => {
      if (program.hasLines || seen.has(program)) return;
      seen.add(program);
      const problem = "the object has no line information";
      if (required) {
        throw new BpfError(`trace ${program.name}`, problem, {
          hint: "compile it with -g, or leave out --lines",
        });
      }
      warn(`${program.name}: ${problem}, so there are only instructions; compile it with -g`);
    },
  };
}
