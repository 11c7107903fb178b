/** What the trace code expects of the machine it runs on. */

import { NotSupportedError } from "../errors.ts";

/** Columns are used as typed arrays, whose byte order is the machine's. */
export function assertLittleEndianHost(): void {
  if (new Uint8Array(Uint32Array.of(1).buffer)[0] !== 1) {
    throw new NotSupportedError("traces on a big-endian machine", "");
  }
}
