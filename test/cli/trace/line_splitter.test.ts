import fc from "fast-check";
import { expect, it } from "vitest";
import { LINE_BYTES_MAX, LineSplitter } from "#cli/trace/line_splitter.ts";

function split(text: string, chunkBytes: number): { lines: string[]; pending: number } | null {
  const bytes = new TextEncoder().encode(text);
  const lines: string[] = [];
  const splitter = new LineSplitter((line, start, end) => {
    lines.push(new TextDecoder().decode(line.subarray(start, end)));
  });
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    if (!splitter.push(bytes.slice(at, at + chunkBytes))) return null;
  }
  return { lines, pending: splitter.pendingBytes };
}

it("yields the lines, however the bytes are cut", () => {
  const text = fc.array(fc.constantFrom("a", "bc", "\n", "\t")).map((parts) => parts.join(""));
  fc.assert(
    fc.property(text, fc.integer({ min: 1, max: 20 }), (text, chunkBytes) => {
      const lines = text.split("\n");
      const rest = lines.pop()!;
      expect(split(text, chunkBytes)).toEqual({ lines, pending: rest.length });
    }),
  );
});

it.each([1, 1000, 1_000_000])(
  "accepts the longest line and no longer one, in chunks of %i",
  (n) => {
    const longest = "x".repeat(LINE_BYTES_MAX);
    expect(split(`${longest}\n`, n)).toEqual({ lines: [longest], pending: 0 });
    expect(split(`${longest}x\n`, n)).toBeNull();
    expect(split(`${longest}x`, n)).toBeNull();
  },
);
