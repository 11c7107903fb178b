/** Who makes bpf(2) calls for the suites: the kernel process of a guest. */

/** Answer of the process: 0, a descriptor, or a negative errno, and bytes valid until the next. */
export interface Answer {
  readonly result: number;
  readonly bytes: Uint8Array;
}

export interface KernelServer {
  /** Requests so far: what was fetched ahead holds until the next. */
  readonly requests: number;
  /** Sends one request (operation and fields) and waits for its answer. */
  ask(request: Uint8Array): Answer;
}
