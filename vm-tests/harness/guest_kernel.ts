/** The kernel of a guest as the conformance suite's server: one request at a time, synchronously. */

import { closeSync, openSync, readSync, writeSync } from "node:fs";
import type { Answer, KernelServer } from "#vm-tests/kernel/kernel_server.ts";
import { type Ending, problemOf } from "./console.ts";
import { SHARED_BYTES } from "./machine.ts";
import type { ServingGuest } from "./qemu.ts";

/** `struct shared` of guest/init.c: counts of requests and responses, then the message. */
const COUNTS_BYTES = 8;
const MESSAGE_AT = 64;
const MESSAGE_BYTES_MAX = SHARED_BYTES - MESSAGE_AT - 4;

export class GuestKernel implements KernelServer {
  readonly guest: ServingGuest;
  /** Round trips so far. */
  requests = 0;
  private readonly memory: number;
  private readonly toGuest: number;
  private readonly fromGuest: number;
  private readonly counts = new Uint32Array(COUNTS_BYTES / 4);
  private readonly header = new Uint8Array(8);
  private readonly headerView = new DataView(this.header.buffer);
  private readonly bell = new Uint8Array(1);
  private closed = false;

  constructor(guest: ServingGuest) {
    this.guest = guest;
    this.memory = openSync(guest.memory, "r+");
    this.toGuest = openSync(`${guest.port}.in`, "w");
    this.fromGuest = openSync(`${guest.port}.out`, "r");
  }

  ask(request: Uint8Array): Answer {
    if (this.closed) throw new Error("the guest is closed");
    this.send(request);
    if (readSync(this.fromGuest, this.bell, 0, 1, null) === 0) {
      throw new Error(`the guest ended before it answered; console: ${this.guest.log}`);
    }
    readSync(this.memory, this.header, 0, this.header.length, MESSAGE_AT);
    const bytes = new Uint8Array(this.headerView.getUint32(0, true) - 4);
    readSync(this.memory, bytes, 0, bytes.length, MESSAGE_AT + this.header.length);
    return { result: this.headerView.getInt32(4, true), bytes };
  }

  /** Ends the guest. Throws where its kernel complained, or it did not end by its own word. */
  async end(): Promise<Ending> {
    if (!this.closed) {
      try {
        this.send(new Uint8Array(0));
      } catch {
        // The machine is gone already; how it ended follows.
      }
      this.closed = true;
      for (const fd of [this.memory, this.toGuest, this.fromGuest]) closeSync(fd);
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
    this.counts[0] = this.requests;
    writeSync(this.memory, this.counts, 0, 4, 0);
    writeSync(this.toGuest, this.bell);
  }
}
