/** Possible CPUs of this machine: the number of values in a per-CPU map's value. */

import { readFileSync } from "node:fs";

export function possibleCpus(): number {
  return countOfList(readFileSync("/sys/devices/system/cpu/possible", "utf8"));
}

/** CPUs in a kernel list (`"0-3,8"` → 5). */
export function countOfList(list: string): number {
  return list
    .trim()
    .split(",")
    .reduce((sum, range) => {
      const [first, last] = range.split("-").map(Number);
      return sum + (last ?? first!) - first! + 1;
    }, 0);
}
