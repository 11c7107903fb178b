/** What callers see of the filters of a run. */
import type {
  FilterRule,
  FilterRuleInput,
  FilterType,
  NamespaceKind,
  NumberedRule,
} from "./rule.ts";

export type FilterMode = "allow" | "deny";

/** Events of one type's counters since the collectors were loaded, all CPUs and programs together. */
export interface TypeStatistics {
  /** Events that a rule of the type matched. */
  readonly hits: number;
  /** Events that were held against the type's rules and matched by none. */
  readonly misses: number;
  /** Rules in force, shadow rules included. */
  readonly rules: number;
}

export interface FilterStatistics {
  readonly types: Readonly<Record<FilterType, TypeStatistics>>;
  /** Events that shadow rules would have rejected. */
  readonly shadowRejected: number;
  /** Of the rule set in force. */
  readonly generation: number;
  /** Rule sets put in force so far. */
  readonly updates: number;
}

/** Which network traffic a rule is about, beside its address. */
export interface NetworkOptions {
  readonly endpoint?: "source" | "destination" | "either";
  readonly shadow?: boolean;
}

/** What the report's `FilterManager` hands on to other capabilities. */
export interface FilterDelegates {
  setSamplingRate?(percent: number): void | Promise<void>;
  setRateLimit?(eventsPerSecond: number): void | Promise<void>;
}

/**
 * Changes the rules of every collector of a run. A change is one flip of a generation: an event is
 * judged by the rules before it or by the rules after it. What cannot be taken throws `ConfigError`
 * and changes nothing; its path begins with `rules`, the index and the field. Changes are made one
 * after the other, in the order of the calls; an added rule's number is the result.
 */
export interface FilterManager {
  addPidFilter(pid: number, allow: boolean): Promise<number>;
  removePidFilter(pid: number): Promise<boolean>;
  addNamespaceFilter(namespace: number, allow: boolean, kind?: NamespaceKind): Promise<number>;
  removeNamespaceFilter(namespace: number, kind?: NamespaceKind): Promise<boolean>;
  /** `port` 0 is any port, `protocol` 0 any protocol. */
  addNetworkFilter(
    ip: string,
    port: number,
    protocol: number,
    allow: boolean,
    options?: NetworkOptions,
  ): Promise<number>;
  removeNetworkFilter(
    ip: string,
    port: number,
    protocol: number,
    options?: NetworkOptions,
  ): Promise<boolean>;
  addRule(rule: FilterRuleInput): Promise<number>;
  /** False where no rule has the number. */
  removeRule(id: number): Promise<boolean>;
  /** Several changes as one flip. */
  change(change: {
    readonly remove?: readonly number[];
    readonly add?: readonly FilterRuleInput[];
  }): Promise<readonly number[]>;
  /** Puts another rule set in force, as one flip. */
  replaceAll(rules: readonly FilterRuleInput[]): Promise<void>;
  /** Throws what `replaceAll` would throw; changes nothing. */
  check(rules: readonly FilterRuleInput[]): void;
  clearAll(): Promise<void>;
  /** Rules in force, by number. */
  list(): readonly NumberedRule[];
  setFilterMode(mode: FilterMode): Promise<void>;
  enableFilterType(type: FilterType): Promise<void>;
  disableFilterType(type: FilterType): Promise<void>;
  getStatistics(): FilterStatistics;
  /** Starts or stops counting the events that a rule matches; at most 1,024 rules at once. */
  countRule(id: number, counted: boolean): Promise<void>;
  /** Events that the rule matched since it is counted; undefined where it is not. */
  ruleHits(id: number): number | undefined;
  setSamplingRate(percent: number): void | Promise<void>;
  setRateLimit(eventsPerSecond: number): void | Promise<void>;
}

export type { FilterRule };
