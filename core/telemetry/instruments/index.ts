/** Every instrument there is. */
import type { Instrument } from "../instrument.ts";
import { STATISTICS } from "./statistics.ts";

export const INSTRUMENTS: readonly Instrument[] = Object.values(STATISTICS);
