import { isIPv6 } from "node:net";
import fc from "fast-check";
import { expect, it } from "vitest";
import { addressText } from "#core/events/address_text.ts";

const AF_INET = 2;
const AF_INET6 = 10;

const groups = (...words: number[]): Uint8Array =>
  Uint8Array.from(words.flatMap((word) => [word >> 8, word & 0xff]));

it("IPv4 is four bytes, from the offset on, whatever follows", () => {
  expect(addressText(Uint8Array.of(9, 192, 0, 2, 255, 7), 1, AF_INET)).toBe("192.0.2.255");
});

// The rules of RFC 5952, section 4.
it.each([
  ["::", [0, 0, 0, 0, 0, 0, 0, 0]],
  ["::1", [0, 0, 0, 0, 0, 0, 0, 1]],
  ["1::", [1, 0, 0, 0, 0, 0, 0, 0]],
  ["2001:db8::1", [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1]],
  ["2001:db8:0:1:1:1:1:1", [0x2001, 0xdb8, 0, 1, 1, 1, 1, 1]],
  ["2001:0:0:1::1", [0x2001, 0, 0, 1, 0, 0, 0, 1]],
  ["2001:db8::1:0:0:1", [0x2001, 0xdb8, 0, 0, 1, 0, 0, 1]],
  ["1:2:3:4:5:6:7:8", [1, 2, 3, 4, 5, 6, 7, 8]],
])("IPv6 is written as %s", (text, words) => {
  expect(addressText(groups(...words), 0, AF_INET6)).toBe(text);
});

it("an IPv4 address inside IPv6 shows itself", () => {
  expect(addressText(groups(0, 0, 0, 0, 0, 0xffff, 0xc000, 0x0207), 0, AF_INET6)).toBe(
    "::ffff:192.0.2.7",
  );
});

it("every IPv6 address is text that means the same address", () => {
  const word = fc.oneof(fc.constant(0), fc.nat(0xffff));
  fc.assert(
    fc.property(fc.array(word, { minLength: 8, maxLength: 8 }), (words) => {
      const text = addressText(groups(...words), 0, AF_INET6);
      expect(isIPv6(text)).toBe(true);
      const parts = new URL(`http://[${text}]/`).hostname.slice(1, -1);
      // The URL standard writes the short form too, but never IPv4 inside.
      if (!text.includes(".")) expect(parts).toBe(text);
    }),
  );
});
