/**
 * Configures fast-check for every property of the process, once: `configureGlobal` replaces all
 * settings. The seed comes from `global_setup.ts`, or is drawn here when that did not run.
 */

import fc from "fast-check";
import { seedOf } from "./replay.ts";

fc.configureGlobal({ seed: seedOf(process.env) ?? Math.floor(Math.random() * 0x7fffffff) });
