/**
 * Whether a run can be trusted and keeps up: healthy, degraded or failing, and why.
 *
 * A worse state is taken at once, a better one only after it has held for `CALM_EVALUATIONS`, so that a
 * run on the edge does not flap.
 */

export const HEALTH_STATES = ["healthy", "degraded", "failing"] as const;
export type HealthState = (typeof HEALTH_STATES)[number];

/** What happened since the last evaluation, and how things stand. */
export interface HealthInputs {
  /** Events seen, and lost for whatever reason but filters, limits and sampling. */
  readonly seen: number;
  readonly lost: number;
  /** Of all programs, as absolute values together. */
  readonly residual: number;
  /** Of the fullest ring, at its fullest; 0 to 1. */
  readonly ringUtilization: number;
  /** Since the oldest statistics were read, in multiples of the interval. */
  readonly staleIntervals: number;
  /** Factor on the sampling rates of ordinary events; 1: no load is shed. */
  readonly shedMultiplier: number;
  /** Sinks and logs that take no events at present, each with the reason. */
  readonly deliveryProblems: readonly string[];
  /** Exports of metrics that failed in a row. */
  readonly exporterFailures: number;
  readonly attachFailures: number;
  readonly verificationFailures: number;
}

export interface HealthReason {
  readonly state: HealthState;
  /** What is wrong, with its number. */
  readonly problem: string;
  /** What would change it. */
  readonly remedy: string;
}

export interface HealthReport {
  readonly state: HealthState;
  /** Why it is not better; the worst first. Empty while healthy and no recovery is under way. */
  readonly reasons: readonly HealthReason[];
}

export const CALM_EVALUATIONS = 3;

interface Rule {
  /** The number that decides. */
  readonly value: (inputs: HealthInputs) => number;
  /** From these on the state is degraded, failing. */
  readonly degraded: number;
  readonly failing: number;
  readonly problem: (value: number, inputs: HealthInputs) => string;
  readonly remedy: string;
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

const RULES: readonly Rule[] = [
  {
    value: ({ residual }) => residual,
    degraded: 1,
    failing: 1,
    problem: (count) => `the books do not close: ${count} events are unaccounted for`,
    remedy: "report it with the output of tapio-bpf stats -o json",
  },
  {
    value: ({ seen, lost }) => (seen === 0 ? 0 : lost / seen),
    degraded: 0.001,
    failing: 0.1,
    problem: (share) => `${percent(share)} of the events were lost`,
    remedy: "tapio-bpf explain names the setting for each reason",
  },
  {
    value: ({ ringUtilization }) => ringUtilization,
    degraded: 0.8,
    failing: Number.POSITIVE_INFINITY,
    problem: (share) => `a ring buffer is ${percent(share)} full`,
    remedy: "make it larger (rings.bytes), filter or sample more",
  },
  {
    value: ({ shedMultiplier }) => 1 - shedMultiplier,
    degraded: Number.MIN_VALUE,
    failing: Number.POSITIVE_INFINITY,
    problem: (share) =>
      `load is shed: ordinary events are kept at ${percent(1 - share)} of their sampling rates`,
    remedy: "bring the slow sink back, or filter or sample more",
  },
  {
    value: ({ staleIntervals }) => staleIntervals,
    degraded: 3,
    failing: 12,
    problem: (intervals) => `statistics are ${intervals.toFixed(0)} intervals old`,
    remedy: "give the process more CPU time, or look at its errors",
  },
  {
    value: ({ deliveryProblems }) => deliveryProblems.length,
    degraded: 1,
    failing: Number.POSITIVE_INFINITY,
    problem: (_, { deliveryProblems }) => `events are not taken: ${deliveryProblems.join("; ")}`,
    remedy: "free, repair or start what does not take them; it is tried again by itself",
  },
  {
    value: ({ exporterFailures }) => exporterFailures,
    degraded: 1,
    failing: 5,
    problem: (count) => `the last ${count} exports failed`,
    remedy: "check that the receiver runs and the endpoint is right",
  },
  {
    value: ({ attachFailures }) => attachFailures,
    degraded: 1,
    failing: 1,
    problem: (count) => `${count} attachments failed`,
    remedy: "tapio-bpf doctor says what this machine lacks",
  },
  {
    value: ({ verificationFailures }) => verificationFailures,
    degraded: 1,
    failing: 1,
    problem: (count) => `the verifier refused ${count} programs`,
    remedy: "the error of the load has the whole log",
  },
];

function rank(state: HealthState): number {
  return HEALTH_STATES.indexOf(state);
}

function judge(inputs: HealthInputs): HealthReason[] {
  const reasons = RULES.flatMap((rule): HealthReason[] => {
    const value = rule.value(inputs);
    if (!(value >= rule.degraded)) return [];
    const state = value >= rule.failing ? "failing" : "degraded";
    return [{ state, problem: rule.problem(value, inputs), remedy: rule.remedy }];
  });
  return reasons.sort((a, b) => rank(b.state) - rank(a.state));
}

export class Health {
  #report: HealthReport = { state: "healthy", reasons: [] };
  #calm = 0;

  get report(): HealthReport {
    return this.#report;
  }

  /** Takes the next look; returns the report that now holds. */
  evaluate(inputs: HealthInputs): HealthReport {
    const reasons = judge(inputs);
    const state = reasons[0]?.state ?? "healthy";
    const better = rank(state) < rank(this.#report.state);
    this.#calm = better ? this.#calm + 1 : 0;
    if (!better || this.#calm >= CALM_EVALUATIONS) {
      this.#report = { state, reasons };
      this.#calm = 0;
    }
    return this.#report;
  }
}
