import { expect, it } from "vitest";
import { DeliveryLedger } from "#core/pipeline/delivery_ledger.ts";

it("counts by program, CPU and type, each apart", () => {
  const ledger = new DeliveryLedger(2, 3);
  ledger.deliver(1, 2, 4);
  ledger.deliver(1, 2, 4);
  ledger.deliver(0, 2, 255);
  ledger.reject(1, 0);
  expect([ledger.delivered(1, 2), ledger.delivered(0, 2), ledger.delivered(1, 0)]).toEqual([
    2, 1, 0,
  ]);
  expect([ledger.rejected(1, 0), ledger.rejected(1, 2)]).toEqual([1, 0]);
  expect([ledger.deliveredOfType(4), ledger.deliveredOfType(255)]).toEqual([2, 1]);
});

it("a jump in the sequence is that many events lost; the first is number 1", () => {
  const ledger = new DeliveryLedger(1, 2);
  for (const sequence of [3, 4, 9]) ledger.receive(0, 1, sequence);
  expect(ledger.missing(0, 1)).toBe(2 + 4);
  expect(ledger.missing(0, 0)).toBe(0);
  expect(ledger.received(0, 1)).toBe(3);
});

it("an older sequence number after a newer one counts as no loss, and opens no gap again", () => {
  const ledger = new DeliveryLedger(1, 1);
  for (const sequence of [1, 3, 2, 4]) ledger.receive(0, 0, sequence);
  expect(ledger.missing(0, 0)).toBe(1);
});

it("covers exactly the programs, CPUs and types that it has room for", () => {
  const ledger = new DeliveryLedger(2, 3);
  expect(ledger.covers(1, 2, 255)).toBe(true);
  expect([ledger.covers(2, 0, 0), ledger.covers(0, 3, 0), ledger.covers(0, 0, 256)]).toEqual([
    false,
    false,
    false,
  ]);
});
