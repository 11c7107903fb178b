/**
 * R of a connection as `sampling_hash` of `bpf/include/bpf_sampling.h` has it, for the addresses that `decide_batch`
 * gives it: the connection's number at one end, the replication's seed at the other, no ports.
 */

const MASK = (1n << 56n) - 1n;
const LOW_BITS = 24n;
const LOW_MASK = (1n << LOW_BITS) - 1n;

/** `sampling_mix`. */
function mix(argument: bigint): bigint {
  let value = argument;
  value ^= value >> 33n;
  value = BigInt.asUintN(64, value * 0xff51afd7ed558ccdn);
  value ^= value >> 33n;
  value = BigInt.asUintN(64, value * 0xc4ceb9fe1a85ec53n);
  return value ^ (value >> 33n);
}

/** A connection's events are neighbours: the last hash is the next one's, more often than not. */
export class ConnectionHash {
  /** Upper 32 bits of R of the connection asked for last, and the other 24. */
  high = 0;
  low = 0;
  readonly #peer: bigint;
  #connection = -1;

  constructor(peer: bigint) {
    this.#peer = mix(peer ^ mix(0n));
  }

  of(connection: number): void {
    if (connection === this.#connection) return;
    this.#connection = connection;
    const own = mix(BigInt(connection) ^ mix(0n));
    const hash = mix(BigInt.asUintN(64, own + this.#peer)) & MASK;
    this.high = Number(hash >> LOW_BITS);
    this.low = Number(hash & LOW_MASK);
  }
}
