/** The events of a workload, by columns: the same for every strategy and replication. */

export interface Events {
  readonly count: number;
  /** What is to be estimated. */
  readonly values: Float64Array;
  /** What the programs would have measured, in ns, whole numbers; 0 where it is not known. */
  readonly latencies_ns: Float64Array;
  /** Since the beginning; never falling. */
  readonly times_s: Float64Array;
  /** Numbers of event types, 0 to 7. */
  readonly types: Uint8Array;
  /** What each type is called, by its number; "" for one that does not occur. */
  readonly typeNames: readonly string[];
  readonly connections: Uint32Array;
  /** `enum event_priority`. */
  readonly priorities: Uint8Array;
  /** 1 where the operation failed. */
  readonly errors: Uint8Array;
}

/** How many events of each type there are, by its name: what the programs count exactly. */
export function typeCounts({ types, typeNames }: Events): Map<string, number> {
  const counts = new Map<string, number>();
  for (const type of types) {
    const name = typeNames[type]!;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

/** Largest values, of each type by its number and of all events: what the programs note of events that they left out. */
export interface LargestValues {
  readonly byType: readonly number[];
  readonly all: number;
}

export function largestValues({ values, types, typeNames }: Events): LargestValues {
  const byType = typeNames.map(() => Number.NEGATIVE_INFINITY);
  values.forEach((value, i) => {
    const type = types[i]!;
    if (value > byType[type]!) byType[type] = value;
  });
  return { byType, all: Math.max(...byType) };
}
