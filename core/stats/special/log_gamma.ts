/** The logarithm of the gamma function on the positive axis. */

import { requirePositive } from "../check_argument.ts";
import { stirlingError } from "./stirling_error.ts";

const HALF_LOG_TWO_PI = 0.9189385332046728;
const ONE_MINUS_EULER = 0.42278433509846713;

/** ζ(k) - 1 for k = 2, 3, …: the Taylor coefficients of log Γ at 2, times k. */
const ZETA_MINUS_ONE = [
  0.6449340668482264, 0.2020569031595943, 0.08232323371113819, 0.03692775514336993,
  0.01734306198444914, 0.008349277381922827, 0.00407735619794434, 0.0020083928260822143,
  0.0009945751278180853, 0.0004941886041194645, 0.0002460865533080483, 0.00012271334757848915,
  6.124813505870483e-5, 3.058823630702049e-5, 1.528225940865187e-5, 7.637197637899763e-6,
  3.81729326499984e-6, 1.908212716553939e-6, 9.539620338727962e-7, 4.769329867878064e-7,
  2.38450502727733e-7, 1.1921992596531106e-7, 5.960818905125948e-8, 2.980350351465228e-8,
  1.4901554828365043e-8, 7.45071178983543e-9,
] as const;

/** log Γ(2 + x) for |x| <= 1/2: accurate relative to its zero at x = 0. */
function logGammaTwoPlus(x: number): number {
  let sum = 0;
  for (let k = ZETA_MINUS_ONE.length - 1; k >= 0; k -= 1) {
    sum = ZETA_MINUS_ONE[k]! / (k + 2) - x * sum;
  }
  return x * (ONE_MINUS_EULER + x * sum);
}

/** log Γ(z), z > 0; relative error about 1e-15, also next to its zeros at 1 and 2. */
export function logGamma(z: number): number {
  requirePositive("logGamma", "z", z);
  if (z < 0.5) return logGammaTwoPlus(z) - Math.log1p(z) - Math.log(z);
  if (z < 1.5) return logGammaTwoPlus(z - 1) - Math.log1p(z - 1);
  if (z < 8) {
    let product = 1;
    let at = z;
    for (; at > 2.5; at -= 1) product *= at - 1;
    return logGammaTwoPlus(at - 2) + Math.log(product);
  }
  return (z - 0.5) * (Math.log(z) - 1) + (HALF_LOG_TWO_PI - 0.5) + stirlingError(z);
}
