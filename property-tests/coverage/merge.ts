/** A vitest global setup: puts together what the test files counted, and says which lines never ran. */
import { summaryLines } from "#wasm/coverage/summary.ts";
import { clearParts, mergeParts } from "./parts.ts";

export default function setup(): () => void {
  clearParts();
  return () => {
    const { path, coverage } = mergeParts();
    process.stderr.write(`${summaryLines(coverage).join("\n")}\ncoverage: ${path}\n`);
  };
}
