/**
 * Keys of a walk that came before they were asked for. They hold until the next request of any kind:
 * nothing but requests changes a guest's maps.
 */

import type { KernelServer } from "./kernel_server.ts";

export class KeysAhead {
  private keys: Uint8Array = new Uint8Array(0);
  private keySize = 0;
  private at = 0;
  private requests = -1;

  /** Keeps what a request brought: keys of this size, the first of which has been handed out. */
  keep(kernel: KernelServer, keys: Uint8Array, keySize: number): void {
    this.keys = keys;
    this.keySize = keySize;
    this.at = 0;
    this.requests = kernel.requests;
  }

  /** Fills `next` where it is known what follows `key`. */
  take(kernel: KernelServer, key: Uint8Array | null, next: Uint8Array): boolean {
    const following = this.at + this.keySize;
    if (key === null || this.keySize === 0 || this.requests !== kernel.requests) return false;
    if (next.length !== this.keySize || following + this.keySize > this.keys.length) return false;
    const last = this.keys.subarray(this.at, following);
    if (key.length !== last.length || !key.every((byte, index) => byte === last[index]))
      return false;
    next.set(this.keys.subarray(following, following + this.keySize));
    this.at = following;
    return true;
  }
}
