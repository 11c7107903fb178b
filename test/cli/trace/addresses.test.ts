import fc from "fast-check";
import { expect, it } from "vitest";
import { mapIpv4, parseIpv4, parseIpv6, unmapIpv4 } from "#cli/trace/addresses.ts";

it("reads IPv4 in dotted form", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 4, maxLength: 4 }), (bytes) => {
      expect(parseIpv4(bytes.join("."))).toEqual(bytes);
      expect(unmapIpv4(mapIpv4(bytes))).toEqual(bytes);
    }),
  );
});

it("reads IPv6 in full form and as the URL standard shortens it", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.nat(0xff), (bytes, zeros) => {
      for (let i = 0; i < 8; i++) if ((zeros & (1 << i)) !== 0) bytes.fill(0, 2 * i, 2 * i + 2);
      const groups = Array.from({ length: 8 }, (_, i) => (bytes[2 * i]! << 8) | bytes[2 * i + 1]!);
      const full = groups.map((group) => group.toString(16)).join(":");
      expect(parseIpv6(full)).toEqual(bytes);
      const short = new URL(`http://[${full}]/`).hostname.slice(1, -1);
      expect(parseIpv6(short)).toEqual(bytes);
    }),
  );
});

it("reads an IPv4 tail of an IPv6 address", () => {
  expect(parseIpv6("::ffff:10.77.0.1")).toEqual(mapIpv4(Uint8Array.of(10, 77, 0, 1)));
  expect(unmapIpv4(parseIpv6("fe80::1")!)).toEqual(new Uint8Array(4));
});

it.each(["", "1.2.3", "1.2.3.256", "01.2.3.4", "::1", "a.b.c.d"])("%j is no IPv4", (text) => {
  expect(parseIpv4(text)).toBeNull();
});

it.each(["", ":", "1::2::3", "fe80::1%eth0", "12345::", "10.77.0.1", "::10.77.0.256"])(
  "%j is no IPv6",
  (text) => {
    expect(parseIpv6(text)).toBeNull();
  },
);
