/** Suffixes of loads and stores, and how many bytes they move. */
export const SIZES = [
  ["b", 1],
  ["h", 2],
  ["w", 4],
  ["dw", 8],
] as const;
