/** Where the runtime keeps what inlined helpers read: `struct places` of `aot_inline.c`. */
import type { RuntimeInstance } from "#wasm/instance.ts";

/** Addresses, and offsets within the runtime's `struct rt_task`. */
export interface InlinePlaces {
  readonly clock_ns: number;
  readonly tick_ns: number;
  readonly cpu: number;
  /** One byte a page: which memory it belongs to. */
  readonly spaces: number;
  /** The slot of the task of each CPU, u32. */
  readonly currentTasks: number;
  /** Addresses of blocks of tasks. */
  readonly taskBlocks: number;
  readonly task: {
    readonly pid: number;
    readonly uid: number;
    readonly kernelAddress: number;
    readonly cgroupLevel: number;
    readonly cgroupIds: number;
    readonly comm: number;
  };
}

export function inlinePlaces({ exports, u32 }: RuntimeInstance): InlinePlaces {
  const first = exports.aot_places() / 4;
  const word = (index: number): number => u32[first + index]!;
  return {
    clock_ns: word(0),
    tick_ns: word(1),
    cpu: word(2),
    spaces: word(3),
    currentTasks: word(4),
    taskBlocks: word(5),
    task: {
      pid: word(6),
      uid: word(7),
      kernelAddress: word(8),
      cgroupLevel: word(9),
      cgroupIds: word(10),
      comm: word(11),
    },
  };
}
