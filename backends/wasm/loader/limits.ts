/** What an object may hold at most: a damaged or hostile file costs bounded time and memory. */
export const LIMITS = {
  object_bytes: 256 * 1024 * 1024,
  sections: 4096,
  symbols: 262_144,
  relocationsPerSection: 1_048_576,
  name_bytes: 4096,
  functions: 16_384,
  programs: 4096,
  maps: 4096,
  /** One global-data section; its map is one value. */
  data_bytes: 256 * 1024 * 1024,
  /** Slots of an initial value list (`values` of a map-in-map or prog array). */
  initialSlots: 1_048_576,
  /** Instructions of one linked program: what the kernel accepts. */
  instructions: 1_000_000,
  /** Instructions of all linked programs of an object together. */
  linkedInstructions: 16_000_000,
  /** Work of matching all CO-RE relocations of an object, in members and types looked at. */
  coreSteps: 4_000_000,
} as const;
