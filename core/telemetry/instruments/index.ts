/** Every instrument there is. */
import type { Instrument } from "../instrument.ts";

export const INSTRUMENTS: readonly Instrument[] = [];
