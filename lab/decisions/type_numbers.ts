/** Numbers of the types that a workload has, by their names. */
import type { EventTypeNumbers } from "#core/sampling/compile_rules.ts";
import type { Events } from "../workload/events.ts";

export function typeNumbers({ typeNames }: Events): EventTypeNumbers {
  const named = [...typeNames.entries()].filter(([, name]) => name !== "");
  return new Map(named.map(([number, name]) => [name, number]));
}
