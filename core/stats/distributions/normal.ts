/** The standard normal distribution. */

import { requireProbability } from "../check_argument.ts";
import { productError } from "../special/double_double.ts";
import { erfc, scaledErfc } from "../special/error_function.ts";

const SQRT_HALF = Math.SQRT1_2;
const SQRT_TWO_PI = 2.5066282746310007;

/** exp(-z²/2) / √(2π). */
export function normalDensity(z: number): number {
  if (Math.abs(z) > 40) return 0;
  return (Math.exp(-0.5 * z * z) * Math.exp(-0.5 * productError(z, z))) / SQRT_TWO_PI;
}

/** P(Z > z), accurate relative to itself in the upper tail. */
export function normalSurvival(z: number): number {
  if (z < 2.5 || z > 40) return 0.5 * erfc(z * SQRT_HALF);
  return 0.5 * SQRT_TWO_PI * normalDensity(z) * scaledErfc(z * SQRT_HALF);
}

/** P(Z <= z), accurate relative to itself in the lower tail. */
export function normalCdf(z: number): number {
  return normalSurvival(-z);
}

/** Coefficients of numerator and denominator, constant term first (Wichura, AS 241, PPND16). */
const CENTRAL = [
  [
    3.3871328727963665, 133.14166789178438, 1971.5909503065513, 13731.69376550946,
    45921.95393154987, 67265.7709270087, 33430.57558358813, 2509.0809287301227,
  ],
  [
    1, 42.31333070160091, 687.1870074920579, 5394.196021424751, 21213.794301586597,
    39307.89580009271, 28729.085735721943, 5226.495278852854,
  ],
] as const;
const TAIL = [
  [
    1.4234371107496835, 4.630337846156546, 5.769497221460691, 3.6478483247632045,
    1.2704582524523684, 0.2417807251774506, 0.022723844989269184, 0.0007745450142783414,
  ],
  [
    1, 2.053191626637759, 1.6763848301838038, 0.6897673349851, 0.14810397642748008,
    0.015198666563616457, 0.0005475938084995345, 1.0507500716444169e-9,
  ],
] as const;
const FAR_TAIL = [
  [
    6.657904643501103, 5.463784911164114, 1.7848265399172913, 0.29656057182850487,
    0.026532189526576124, 0.0012426609473880784, 2.7115555687434876e-5, 2.0103343992922881e-7,
  ],
  [
    1, 0.599832206555888, 0.1369298809227358, 0.014875361290850615, 0.0007868691311456133,
    1.8463183175100548e-5, 1.421511758316446e-7, 2.0442631033899397e-15,
  ],
] as const;

type Rational = readonly [readonly number[], readonly number[]];

function rationalAt([numerator, denominator]: Rational, x: number): number {
  let top = 0;
  let bottom = 0;
  for (let k = numerator.length - 1; k >= 0; k -= 1) {
    top = top * x + numerator[k]!;
    bottom = bottom * x + denominator[k]!;
  }
  return top / bottom;
}

/** The z with P(Z > z) = p, for p in [0, 1], down to the smallest p a double holds. */
export function normalUpperQuantile(p: number): number {
  return -normalQuantile(p);
}

/** The z with P(Z <= z) = p, for p in [0, 1]: Wichura's algorithm AS 241. */
export function normalQuantile(p: number): number {
  requireProbability("normalQuantile", "p", p);
  const centred = p - 0.5;
  if (Math.abs(centred) <= 0.425) {
    return centred * rationalAt(CENTRAL, 0.180625 - centred * centred);
  }
  const tail = centred < 0 ? p : 1 - p;
  if (tail === 0) return centred < 0 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const r = Math.sqrt(-Math.log(tail));
  const z = r <= 5 ? rationalAt(TAIL, r - 1.6) : rationalAt(FAR_TAIL, r - 5);
  return centred < 0 ? -z : z;
}
