/**
 * Readers and writers of up to 32 bits at a fixed place, little-endian: what every access to a
 * field comes down to. None allocates when called, and none touches a byte that the bits are not in.
 */

/** Reads at `base` plus the place it was made for. */
export type NumberReader = (view: DataView, base: number) => number;
export type NumberWriter = (view: DataView, base: number, value: number) => void;

/** Reads `bits` (1..32) from bit `bitOffset` (0..7) of byte `offset` as an unsigned number. */
export function bitsReader(offset: number, bitOffset: number, bits: number): NumberReader {
  if (bitOffset === 0) {
    if (bits === 8) return (view, base) => view.getUint8(base + offset);
    if (bits === 16) return (view, base) => view.getUint16(base + offset, true);
    if (bits === 32) return (view, base) => view.getUint32(base + offset, true);
  }
  const mask = lowMask(bits);
  switch (Math.ceil((bitOffset + bits) / 8)) {
    case 1:
      return (view, base) => (view.getUint8(base + offset) >>> bitOffset) & mask;
    case 2:
      return (view, base) => (view.getUint16(base + offset, true) >>> bitOffset) & mask;
    case 3:
      return (view, base) => {
        const word = view.getUint16(base + offset, true) | (view.getUint8(base + offset + 2) << 16);
        return (word >>> bitOffset) & mask;
      };
    case 4:
      return (view, base) => ((view.getUint32(base + offset, true) >>> bitOffset) & mask) >>> 0;
    default:
      // Five bytes: bitOffset is at least 1, so both shifts are below 32.
      return (view, base) => {
        const low = view.getUint32(base + offset, true) >>> bitOffset;
        const high = view.getUint8(base + offset + 4) << (32 - bitOffset);
        return ((low | high) & mask) >>> 0;
      };
  }
}

/** As `bitsReader`, the highest bit being the sign. */
export function signedBitsReader(offset: number, bitOffset: number, bits: number): NumberReader {
  if (bitOffset === 0) {
    if (bits === 8) return (view, base) => view.getInt8(base + offset);
    if (bits === 16) return (view, base) => view.getInt16(base + offset, true);
    if (bits === 32) return (view, base) => view.getInt32(base + offset, true);
  }
  const read = bitsReader(offset, bitOffset, bits);
  const shift = 32 - bits;
  return (view, base) => (read(view, base) << shift) >> shift;
}

/** Writes the low `bits` (1..32) of a 32-bit value and leaves the bits around them alone. */
export function bitsWriter(offset: number, bitOffset: number, bits: number): NumberWriter {
  if (bitOffset === 0) {
    if (bits === 8) return (view, base, value) => view.setUint8(base + offset, value);
    if (bits === 16) return (view, base, value) => view.setUint16(base + offset, value, true);
    if (bits === 32) return (view, base, value) => view.setUint32(base + offset, value, true);
  }
  const bytes = Math.ceil((bitOffset + bits) / 8);
  return (view, base, value) => {
    let rest = value >>> 0;
    let left = bits;
    let shift = bitOffset;
    for (let at = base + offset, end = at + bytes; at < end; at++) {
      const taken = Math.min(8 - shift, left);
      const mask = lowMask(taken) << shift;
      view.setUint8(at, (view.getUint8(at) & ~mask) | ((rest << shift) & mask));
      rest >>>= taken;
      left -= taken;
      shift = 0;
    }
  };
}

function lowMask(bits: number): number {
  return bits === 32 ? -1 : (1 << bits) - 1;
}
