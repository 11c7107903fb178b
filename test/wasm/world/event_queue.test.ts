import fc from "fast-check";
import { expect, it } from "vitest";
import { EventQueue } from "#wasm/world/event_queue.ts";

it("gives items by time, and by insertion where times are equal, as a stable sort does", () => {
  const times = fc.array(fc.nat(6), { maxLength: 60 });
  fc.assert(
    fc.property(times, (list) => {
      const queue = new EventQueue<number>();
      list.forEach((time_ns, i) => {
        queue.push(time_ns, i);
      });
      const taken: number[] = [];
      while (queue.size > 0) {
        const time_ns = queue.nextTime_ns;
        const item = queue.pop();
        expect(list[item]).toBe(time_ns);
        taken.push(item);
      }
      const expected = list.map((_, i) => i).sort((left, right) => list[left]! - list[right]!);
      expect(taken).toEqual(expected);
    }),
  );
});

it("keeps its order when items come while others go", () => {
  const queue = new EventQueue<string>();
  queue.push(5, "five");
  queue.push(1, "one");
  expect(queue.pop()).toBe("one");
  queue.push(5, "five again");
  queue.push(2, "two");
  expect([queue.pop(), queue.pop(), queue.pop()]).toEqual(["two", "five", "five again"]);
  expect(queue.size).toBe(0);
});
