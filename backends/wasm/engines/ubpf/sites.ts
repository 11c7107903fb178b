/** The table of call sites, as `ubpf_engine.h` lays it out. */

/** Numbers of `enum site_kind`. */
export const SITE = {
  UNWIND: 0,
  HELPER: 1,
  CALLBACK_HELPER: 2,
  POISON: 3,
  LOOP: 4,
  FUNCTION: 5,
  CHECK_LOAD: 6,
  CHECK_STORE: 7,
  CHECK_ATOMIC: 8,
  CHECK_ACQUIRE: 9,
  COMPARE_EXCHANGE: 10,
  DIVIDE: 11,
  MODULO: 12,
  REGISTER_NUMBER: 13,
  REGISTER_CALL: 14,
  TAIL_CALL: 15,
  TAIL_CALL_IN_FRAME: 16,
} as const;

export interface Site {
  readonly kind: number;
  /** Number of a helper, or cost in instructions. */
  readonly value?: number;
  /** Register, 1 to 5, whose value the site works on. */
  readonly argument?: number;
  /** Offset and size of a memory access. */
  readonly offset?: number;
  readonly size?: number;
}

/** `sizeof(struct site)`. */
export const SITE_BYTES = 24;

/** `rt_site` of a memory access is this bit and the index of the lowered instruction. */
export const SITE_IS_PC = 0x8000_0000;
/** `rt_site` at the program's end. */
export const SITE_IS_END = 0xffff_ffff;

/** Writes `sites` at `at`, which has `SITE_BYTES` for each. */
export function writeSites(view: DataView, at: number, sites: readonly Site[]): void {
  sites.forEach((site, index) => {
    const base = at + index * SITE_BYTES;
    view.setUint32(base, site.kind, true);
    view.setUint32(base + 4, site.value ?? 0, true);
    view.setUint32(base + 8, site.argument ?? 1, true);
    view.setInt32(base + 12, site.offset ?? 0, true);
    view.setUint32(base + 16, site.size ?? 0, true);
    view.setUint32(base + 20, 0, true);
  });
}
