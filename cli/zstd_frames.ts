/**
 * Where zstd frames end (RFC 8878, section 3.1), by following lengths, without decoding anything.
 *
 * A file may hold many frames, but Node's decompressor may stop after any of them without an error,
 * depending on how chunks fall, and accepts a later one that is cut short. So frames are told apart
 * here, and each gets a decompressor of its own.
 */

const MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50; // to 0x184d2a5f

const RAW_BLOCK = 0;
const RLE_BLOCK = 1;
const COMPRESSED_BLOCK = 2;

/** What the next bytes are, and how many of them are needed to know what follows. */
const NEEDED = {
  magic: 4,
  "skippable length": 4,
  descriptor: 1,
  "block header": 3,
  skip: 0,
} as const;

type State = keyof typeof NEEDED;

/** Whether bytes start a frame without contents, which decompressors pass over. */
export function isSkippableFrame(start: Uint8Array): boolean {
  return (
    start.length >= 4 &&
    (start[0]! & 0xf0) === 0x50 &&
    start[1] === 0x2a &&
    start[2] === 0x4d &&
    start[3] === 0x18
  );
}

/** Follows one frame after another. */
export class ZstdFrameFollower {
  #state: State = "magic";
  /** Bytes collected for the current state, little-endian. */
  #value = 0;
  #have = 0;
  #need: number = NEEDED.magic;
  /** Bytes to pass over, then what comes. */
  #skip = 0;
  #afterSkip: State = "magic";
  #hasChecksum = false;

  /** True at the start, and after the last byte of a whole frame. */
  get atFrameEnd(): boolean {
    return this.#state === "magic" && this.#have === 0;
  }

  /**
   * Follows `bytes` from `start` to the end of the frame or of the bytes; returns how far it came,
   * or -1 where the bytes are no zstd frame.
   */
  follow(bytes: Uint8Array, start: number): number {
    let at = start;
    while (at < bytes.length) {
      if (this.#state === "skip") {
        const part = Math.min(this.#skip, bytes.length - at);
        at += part;
        this.#skip -= part;
        if (this.#skip === 0) this.#enter(this.#afterSkip);
      } else {
        this.#value += bytes[at++]! * 2 ** (8 * this.#have++);
        if (this.#have === this.#need && !this.#advance(this.#value)) return -1;
      }
      if (this.atFrameEnd) return at;
    }
    return at;
  }

  #enter(state: State): void {
    this.#state = state;
    this.#value = 0;
    this.#have = 0;
    this.#need = NEEDED[state];
  }

  #passOver(bytes: number, next: State): void {
    this.#enter(bytes === 0 ? next : "skip");
    this.#skip = bytes;
    this.#afterSkip = next;
  }

  #advance(value: number): boolean {
    switch (this.#state) {
      case "magic":
        if (value >= SKIPPABLE_MAGIC && value < SKIPPABLE_MAGIC + 16) {
          this.#enter("skippable length");
          return true;
        }
        this.#enter("descriptor");
        return value === MAGIC;
      case "skippable length":
        this.#passOver(value, "magic");
        return true;
      case "descriptor":
        this.#hasChecksum = (value & 4) !== 0;
        this.#passOver(frameHeaderBytes(value), "block header");
        return true;
      default:
        return this.#advanceBlock(value);
    }
  }

  #advanceBlock(header: number): boolean {
    const last = (header & 1) !== 0;
    const type = (header >> 1) & 3;
    if (type !== RAW_BLOCK && type !== RLE_BLOCK && type !== COMPRESSED_BLOCK) return false;
    const content = type === RLE_BLOCK ? 1 : header >> 3;
    if (last) this.#passOver(content + (this.#hasChecksum ? 4 : 0), "magic");
    else this.#passOver(content, "block header");
    return true;
  }
}

/** Bytes of the frame header after its descriptor: window, dictionary id, content size. */
function frameHeaderBytes(descriptor: number): number {
  const singleSegment = (descriptor & 0x20) !== 0;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3]!;
  const sizeFlag = descriptor >> 6;
  const sizeBytes = sizeFlag === 0 ? (singleSegment ? 1 : 0) : 1 << sizeFlag;
  return (singleSegment ? 0 : 1) + dictionaryBytes + sizeBytes;
}
