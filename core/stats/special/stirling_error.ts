/** The part of log-gamma that Stirling's formula leaves out. */

const SERIES = [
  0.08333333333333333, -0.002777777777777778, 0.0007936507936507937, -0.0005952380952380953,
  0.0008417508417508417, -0.0019175269175269176, 0.00641025641025641, -0.029550653594771242,
  0.17964437236883057,
] as const;

/**
 * `log Γ(z) - ((z - 1/2) log z - z + log(2π)/2)` for z > 0; about 1/(12 z).
 * It stays small where log Γ is huge, so differences of it do not cancel.
 */
export function stirlingError(z: number): number {
  let shift = 0;
  let at = z;
  for (; at < 12; at += 1) shift += (at + 0.5) * Math.log1p(1 / at) - 1;
  const inverse_square = 1 / (at * at);
  let sum = 0;
  for (let k = SERIES.length - 1; k >= 0; k -= 1) sum = sum * inverse_square + SERIES[k]!;
  return shift + sum / at;
}
