/** Single-stepping: the program stands still before an instruction until a command lets it go on. */
import type { Step, TraceListener } from "#wasm/tracing/tracer.ts";
import { sourceLine, stepLine } from "./describe_step.ts";
import { showMap } from "./show_map.ts";
import { showCalls, showRegisters, showStack } from "./show_state.ts";
import {
  type Goal,
  hasCode,
  never,
  nextInstruction,
  nextLine,
  outOf,
  parsePlace,
  untilLine,
} from "./step_goal.ts";
import { TextTrace } from "./text_trace.ts";
import { TraceEnd, type TraceSession } from "./traced_run.ts";

export interface StepperOptions {
  readonly write: (line: string) => void;
  /** Asks for a command; undefined at the end of the input. */
  readonly ask: () => string | undefined;
}

const HELP = `s, step          execute one instruction (an empty line: the last command again)
n, next          go on to the next source line, over calls
f, finish        go on until the function has returned
c, continue      go on to the end, or to a line: c 120, c tcp_monitor.bpf.c:120
r, registers     r0 to r10
k, stack         words of the frame that are not zero
w, where         the functions that are open
m, map NAME      entries of a map; without a name, the maps
q, quit          end`;

export class Stepper implements TraceListener {
  readonly #session: TraceSession;
  readonly #options: StepperOptions;
  readonly #text: TextTrace;
  #goal: Goal = nextInstruction;
  #lastCommand = "step";
  #shownLine: string | undefined;
  /** Instructions are shown as they are stepped over one by one. */
  #shows = true;

  constructor(session: TraceSession, options: StepperOptions) {
    this.#session = session;
    this.#options = options;
    const write = (line: string): void => {
      if (this.#shows) options.write(line);
    };
    this.#text = new TextTrace(session, { write, linesOnly: false });
  }

  begin(run: number, first: Step): void {
    this.#goal = this.#goal === never ? never : nextInstruction;
    this.#shownLine = undefined;
    this.#always(() => this.#text.begin(run, first));
  }

  before(step: Step): void {
    if (!this.#goal(step)) return;
    this.#stop(step);
  }

  enter(caller: Step, first: Step): void {
    this.#text.enter(caller, first);
  }

  after(step: Step, next: Step): void {
    this.#text.after(step, next);
  }

  replace(caller: Step, first: Step): void {
    this.#text.replace(caller, first);
  }

  leave(exit: Step): void {
    if (exit.depth === 0) this.#always(() => this.#text.leave(exit));
    else this.#text.leave(exit);
  }

  abandon(step: Step): void {
    this.#always(() => this.#text.abandon(step));
  }

  #always(show: () => void): void {
    const shows = this.#shows;
    this.#shows = true;
    show();
    this.#shows = shows;
  }

  #stop(step: Step): void {
    const line = sourceLine(step);
    if (line !== undefined && line !== this.#shownLine) this.#options.write(line);
    this.#shownLine = line;
    this.#options.write(`=> ${stepLine(step).trimStart()}`);
    for (;;) {
      const given = this.#options.ask();
      if (given === undefined) throw new TraceEnd();
      const command = given.trim() === "" ? this.#lastCommand : given.trim();
      this.#lastCommand = command;
      const goal = this.#obey(command, step);
      if (goal === undefined) continue;
      this.#goal = goal;
      this.#shows = goal === nextInstruction;
      return;
    }
  }

  /** The goal of a command that lets the program go on; others are done at once. */
  #obey(command: string, step: Step): Goal | undefined {
    const [word = "", argument] = command.split(/\s+/);
    switch (word) {
      case "s":
      case "step":
        return nextInstruction;
      case "n":
      case "next":
        return nextLine(step);
      case "f":
      case "finish":
        return outOf(step);
      case "c":
      case "continue":
        return argument === undefined ? never : this.#lineGoal(argument, step);
      case "q":
      case "quit":
        throw new TraceEnd();
      default:
        for (const line of this.#answer(word, argument, step)) this.#options.write(line);
        return undefined;
    }
  }

  #lineGoal(text: string, step: Step): Goal | undefined {
    const place = parsePlace(text);
    if (place !== undefined && hasCode(step, place)) return untilLine(place, step);
    this.#options.write(`${text}: no line with code; give LINE or FILE:LINE`);
    return undefined;
  }

  #answer(word: string, argument: string | undefined, step: Step): string[] {
    switch (word) {
      case "r":
      case "registers":
        return showRegisters(step, this.#session);
      case "k":
      case "stack":
        return showStack(step, this.#session);
      case "w":
      case "where":
        return showCalls(this.#session);
      case "m":
      case "map":
        return this.#map(argument);
      case "h":
      case "help":
        return HELP.split("\n");
      default:
        return [`no command ${word}; h lists them`];
    }
  }

  #map(name: string | undefined): string[] {
    const { maps, btf } = this.#session.object;
    const map = maps.get(name ?? "");
    if (map === undefined) return [`the maps are ${[...maps.keys()].join(", ")}`];
    try {
      return showMap(map, btf);
    } catch (error) {
      return [(error as Error).message];
    }
  }
}
