/** Listeners in front of a listener. */
import { effectOf, helperCallOf } from "./effect.ts";
import type { TraceListener } from "./tracer.ts";
import type { ValueNames } from "./value_names.ts";

/** Keeps `names` up to date before `listener` is told. `contextBytes`: of a program, by its name. */
export function naming(
  names: ValueNames,
  contextBytes: (program: string) => number,
  listener: TraceListener,
): TraceListener {
  return {
    ...forwarding(listener),
    begin: (run, first) => {
      names.begin(first, contextBytes(first.program.name));
      listener.begin?.(run, first);
    },
    after: (step, next) => {
      const call = helperCallOf(step);
      if (call !== undefined) names.note(call, effectOf(step, next).result!);
      listener.after?.(step, next);
    },
  };
}

/** Calls `enough` before the instruction that follows `instructions` others. */
export function limited(
  instructions: number,
  enough: () => never,
  listener: TraceListener,
): TraceListener {
  let count = 0;
  return {
    ...forwarding(listener),
    before: (step) => {
      if (count === instructions) enough();
      count++;
      listener.before?.(step);
    },
  };
}

/** Tells both, `first` first. */
export function inTurn(first: TraceListener, second: TraceListener): TraceListener {
  const [one, other] = [forwarding(first), forwarding(second)];
  return {
    begin: (run, step) => {
      one.begin(run, step);
      other.begin(run, step);
    },
    before: (step) => {
      one.before(step);
      other.before(step);
    },
    enter: (caller, step) => {
      one.enter(caller, step);
      other.enter(caller, step);
    },
    after: (step, next) => {
      one.after(step, next);
      other.after(step, next);
    },
    replace: (caller, step) => {
      one.replace(caller, step);
      other.replace(caller, step);
    },
    leave: (exit) => {
      one.leave(exit);
      other.leave(exit);
    },
    end: (run) => {
      one.end(run);
      other.end(run);
    },
    beyond: () => {
      one.beyond();
      other.beyond();
    },
    abandon: (step) => {
      one.abandon(step);
      other.abandon(step);
    },
  };
}

function forwarding(listener: TraceListener): Required<TraceListener> {
  return {
    begin: (run, first) => listener.begin?.(run, first),
    before: (step) => listener.before?.(step),
    enter: (caller, first) => listener.enter?.(caller, first),
    after: (step, next) => listener.after?.(step, next),
    replace: (caller, first) => listener.replace?.(caller, first),
    leave: (exit) => listener.leave?.(exit),
    end: (run) => listener.end?.(run),
    beyond: () => listener.beyond?.(),
    abandon: (step) => listener.abandon?.(step),
  };
}
