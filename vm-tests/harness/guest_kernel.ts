/** The kernel of a guest as the conformance suite's server: one request at a time, synchronously. */

import { closeSync, openSync, readSync, writeSync } from "node:fs";
import type { Answer, KernelServer } from "#vm-tests/kernel/kernel_server.ts";
import { type Ending, problemOf } from "./console.ts";
import { SHARED_BYTES } from "./machine.ts";
import type { ServingGuest } from "./qemu.ts";

/** `struct shared` of guest/kernel_process.c: counts, then the message with its length. */
export const SHARED = { requests: 0, responses: 1, ended: 2, counts: 3 } as const;
const MESSAGE_AT = 64;
const MESSAGE_BYTES_MAX = SHARED_BYTES - MESSAGE_AT - 4;
/** Looks at the counts before the first nap, and how long naps are. */
const LOOKS_MAX = 200;
const NAP_MS = 0.1;

export class GuestKernel implements KernelServer {
  readonly guest: ServingGuest;
  /** Requests so far. */
  requests = 0;
  private readonly memory: number;
  private readonly counts = new Uint32Array(SHARED.counts);
  private readonly header = new Uint8Array(8);
  private readonly headerView = new DataView(this.header.buffer);
  private readonly never = new Int32Array(new SharedArrayBuffer(4));
  private closed = false;

  constructor(guest: ServingGuest) {
    this.guest = guest;
    this.memory = openSync(guest.memory, "r+");
  }

  ask(request: Uint8Array): Answer {
    if (this.closed) throw new Error("the guest is closed");
    this.send(request);
    this.awaitAnswer();
    readSync(this.memory, this.header, 0, this.header.length, MESSAGE_AT);
    const bytes = new Uint8Array(this.headerView.getUint32(0, true) - 4);
    readSync(this.memory, bytes, 0, bytes.length, MESSAGE_AT + this.header.length);
    return { result: this.headerView.getInt32(4, true), bytes };
  }

  /** Ends the guest. Throws where its kernel complained, or it did not end by its own word. */
  async end(): Promise<Ending> {
    if (!this.closed) {
      this.send(new Uint8Array(0));
      this.closed = true;
      closeSync(this.memory);
    }
    const ending = await this.guest.ending;
    this.guest.removeFiles();
    const problem = problemOf(ending);
    if (problem !== undefined) throw new Error(`${problem}; console: ${this.guest.log}`);
    return ending;
  }

  private send(request: Uint8Array): void {
    if (request.length > MESSAGE_BYTES_MAX) {
      throw new Error(`a request of ${request.length} bytes is more than a guest takes`);
    }
    const message = new Uint8Array(4 + request.length);
    new DataView(message.buffer).setUint32(0, request.length, true);
    message.set(request, 4);
    writeSync(this.memory, message, 0, message.length, MESSAGE_AT);
    this.requests += 1;
    this.counts[SHARED.requests] = this.requests;
    writeSync(this.memory, this.counts, 0, 4, 0);
  }

  /** The supervisor ends a guest that takes too long, and marks one that has ended. */
  private awaitAnswer(): void {
    for (let looks = 0; ; looks += 1) {
      readSync(this.memory, this.counts, 0, this.counts.byteLength, 0);
      if (this.counts[SHARED.responses] === this.requests) return;
      if (this.counts[SHARED.ended] !== 0) {
        throw new Error(`the guest ended before it answered; console: ${this.guest.log}`);
      }
      if (looks > LOOKS_MAX) Atomics.wait(this.never, 0, 0, NAP_MS);
    }
  }
}
