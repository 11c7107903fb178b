/** From values to pixels. */

export interface Scale {
  /** Clamped: what lies outside stands at the edge. */
  readonly at: (value: number) => number;
  readonly ticks: readonly number[];
}

export function linearScale(
  [least, most]: readonly [number, number],
  [from, to]: readonly [number, number],
  ticks: readonly number[],
): Scale {
  const at = (value: number): number => {
    const part = (Math.min(most, Math.max(least, value)) - least) / (most - least);
    return from + part * (to - from);
  };
  return { at, ticks };
}

/** Over whole decades around the values, which are above 0. */
export function logScale(values: readonly number[], [from, to]: readonly [number, number]): Scale {
  const logs = values.filter((value) => value > 0).map(Math.log10);
  const least = Math.floor(logs.reduce((low, log) => Math.min(low, log), logs[0] ?? 0));
  const most = Math.ceil(logs.reduce((high, log) => Math.max(high, log), least + 1));
  const linear = linearScale([least, most], [from, to], []);
  const step = Math.ceil((most - least) / 6);
  const count = Math.floor((most - least) / step) + 1;
  return {
    at: (value) => linear.at(value > 0 ? Math.log10(value) : least),
    ticks: Array.from({ length: count }, (_, i) => 10 ** (least + i * step)),
  };
}
