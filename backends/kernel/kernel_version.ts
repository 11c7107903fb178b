/** Version of the running kernel. */
import { release } from "node:os";

function parse(text: string): readonly [major: number, minor: number] {
  const match = /^(\d+)\.(\d+)/.exec(text);
  return [Number(match?.[1] ?? 0), Number(match?.[2] ?? 0)];
}

/** Whether the running kernel is `version` (`"5.10"`) or newer. */
export function kernelAtLeast(version: string, running = release()): boolean {
  const [major, minor] = parse(running);
  const [wantedMajor, wantedMinor] = parse(version);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}
