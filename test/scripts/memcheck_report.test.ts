/** Which of valgrind's errors count as the addon's. */
import { expect, it } from "vitest";
import { ownErrors } from "../../scripts/memcheck_report.ts";

const ADDON = "/x/build/kernel-memcheck/tapio_bpf.node";
const LIBBPF = "/usr/lib/x86_64-linux-gnu/libbpf.so.1.1.2";
const LIBC = "/usr/lib/x86_64-linux-gnu/libc.so.6";
const NODE = "/x/node_modules/node/bin/node";
const ALLOCATOR = "/usr/libexec/valgrind/vgpreload_memcheck-amd64-linux.so";

const frame = (object: string): string => `<frame><obj>${object}</obj><fn>f&lt;T&gt;</fn></frame>`;

function report(kind: string, ...objects: string[]): string {
  const stack = `<stack>\n${objects.map(frame).join("\n")}\n</stack>`;
  return `<valgrindoutput><error><kind>${kind}</kind><what>bad</what>${stack}</error></valgrindoutput>\n`;
}

const count = (kind: string, ...objects: string[]): number =>
  ownErrors(report(kind, ...objects)).length;

it("an invalid access counts where the addon, or libbpf for it, made it", () => {
  expect(count("InvalidRead", ADDON, NODE)).toBe(1);
  expect(count("InvalidWrite", LIBC, ADDON, NODE)).toBe(1);
  expect(count("InvalidRead", ALLOCATOR, LIBBPF, ADDON, NODE)).toBe(1);
  expect(count("InvalidRead", NODE, ADDON, NODE)).toBe(0);
  expect(count("InvalidRead", NODE)).toBe(0);
});

it("memory that nobody wrote counts in the addon, and not where the kernel may have written it", () => {
  expect(count("UninitCondition", ADDON, NODE)).toBe(1);
  expect(count("SyscallParam", LIBC, ADDON, NODE)).toBe(1);
  expect(count("SyscallParam", LIBC, LIBBPF, ADDON, NODE)).toBe(0);
  expect(count("UninitCondition", LIBC, ADDON, LIBBPF, ADDON, NODE)).toBe(0);
});

it("a lost block counts where the addon is among those who asked for it", () => {
  expect(count("Leak_DefinitelyLost", ALLOCATOR, ADDON, NODE)).toBe(1);
  expect(count("Leak_DefinitelyLost", ALLOCATOR, LIBBPF, ADDON, NODE)).toBe(1);
  expect(count("Leak_DefinitelyLost", ALLOCATOR, NODE, ADDON)).toBe(1);
  expect(count("Leak_DefinitelyLost", ALLOCATOR, NODE)).toBe(0);
});

it("an error says what and where, up to the addon's outermost frame", () => {
  const [text] = ownErrors(report("InvalidRead", ALLOCATOR, ADDON, NODE));
  expect(text).toBe(`InvalidRead: bad\n  f<T> (${ALLOCATOR})\n  f<T> (${ADDON})`);
});

it("a report that is cut short is refused, because nobody knows what it leaves out", () => {
  const whole = report("InvalidRead", NODE);
  expect(() => ownErrors(whole.slice(0, -20))).toThrow(/cut short/);
});
