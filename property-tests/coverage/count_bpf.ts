/** A vitest setup file: whatever BPF code the tests of a file run on the compiling engine, its lines are counted. */
import { afterAll } from "vitest";
import { CoverageCollector, coverEveryBackend } from "#wasm/coverage/collector.ts";
import { writePart } from "./parts.ts";

const collector = new CoverageCollector();
coverEveryBackend(collector);
afterAll(() => writePart(collector.read()));
