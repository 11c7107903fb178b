/** Index of the first element at or after `position`, in a list ordered by `by`; its length if none. */
export function lowerBound<T>(
  list: readonly T[],
  position: number,
  by: (element: T) => number,
): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (by(list[middle]!) < position) low = middle + 1;
    else high = middle;
  }
  return low;
}
