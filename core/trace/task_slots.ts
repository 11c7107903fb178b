/**
 * The writer's side of the task table: gives tasks a slot, and takes the slot of the task that was
 * used least recently when none is left. Readers therefore hold at most as many tasks as slots.
 */

import type { TaskFacts } from "./task_facts.ts";

/** A task known to one writer. Keep it as long as you like: a lost slot is replaced on next use. */
export class TraceTask {
  readonly facts: TaskFacts;
  /** -1 while the task has no slot. Only the writer changes it. */
  slot = -1;

  constructor(facts: TaskFacts) {
    this.facts = facts;
  }
}

/** Slots as a doubly linked list from most to least recently used, in arrays: nothing allocates. */
export class TaskSlots {
  readonly capacity: number;
  readonly #owners: (TraceTask | undefined)[] = [];
  readonly #newer: Int32Array;
  readonly #older: Int32Array;
  #newest = -1;
  #oldest = -1;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.#newer = new Int32Array(capacity).fill(-1);
    this.#older = new Int32Array(capacity).fill(-1);
  }

  /** The slot that `assign` would hand out next. */
  get next(): number {
    return this.#owners.length < this.capacity ? this.#owners.length : this.#oldest;
  }

  /** Gives the task a slot as the most recently used one; its former owner loses it. */
  assign(task: TraceTask): void {
    const slot = this.next;
    const former = this.#owners[slot];
    if (former === undefined) this.#pushNewest(slot);
    else {
      former.slot = -1;
      this.touch(slot);
    }
    this.#owners[slot] = task;
    task.slot = slot;
  }

  /** Whether the slot belongs to this very task: a task of another writer owns nothing here. */
  owns(task: TraceTask): boolean {
    return task.slot >= 0 && this.#owners[task.slot] === task;
  }

  /** Marks the slot as the most recently used one. */
  touch(slot: number): void {
    if (slot === this.#newest) return;
    const newer = this.#newer[slot]!;
    const older = this.#older[slot]!;
    this.#older[newer] = older; // not the newest, so there is a newer one
    if (older >= 0) this.#newer[older] = newer;
    else this.#oldest = newer;
    this.#pushNewest(slot);
  }

  #pushNewest(slot: number): void {
    this.#newer[slot] = -1;
    this.#older[slot] = this.#newest;
    if (this.#newest >= 0) this.#newer[this.#newest] = slot;
    else this.#oldest = slot;
    this.#newest = slot;
  }
}
