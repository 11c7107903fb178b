/** What is estimated from a sample, and what it is in truth. */
import { z } from "zod";
import type { Events } from "./workload/events.ts";

const QUANTILES = { p50: 0.5, p95: 0.95, p99: 0.99 } as const;

export const quantitySchema = z.enum(["total", "mean", "by_type", "p50", "p95", "p99"]);

/** Of one cell: the total of all events, or of one type; their mean; a quantile. */
export type Quantity =
  | { readonly kind: "total"; readonly name: string; readonly type: number | undefined }
  | { readonly kind: "mean"; readonly name: string }
  | { readonly kind: "quantile"; readonly name: string; readonly p: number };

export interface KnownQuantity {
  readonly quantity: Quantity;
  readonly truth: number;
}

/** The quantities asked for, with their true values; `by_type` is a total for each type that occurs. */
export function quantitiesOf(
  asked: readonly z.output<typeof quantitySchema>[],
  events: Events,
): KnownQuantity[] {
  return asked.flatMap((each) => knownQuantities(each, events));
}

function knownQuantities(asked: z.output<typeof quantitySchema>, events: Events): KnownQuantity[] {
  const { values, count } = events;
  if (asked === "by_type") return totalsByType(events);
  if (asked === "total" || asked === "mean") {
    const total = values.reduce((sum, value) => sum + value, 0);
    return asked === "total"
      ? [{ quantity: { kind: asked, name: asked, type: undefined }, truth: total }]
      : [{ quantity: { kind: asked, name: asked }, truth: total / count }];
  }
  const p = QUANTILES[asked];
  // The smallest value up to which at least that part of the events lies.
  const truth = values.slice().sort()[Math.ceil(p * count) - 1]!;
  return [{ quantity: { kind: "quantile", name: asked, p }, truth }];
}

function totalsByType({ values, types, typeNames }: Events): KnownQuantity[] {
  const known: KnownQuantity[] = [];
  for (const [type, name] of typeNames.entries()) {
    if (!types.includes(type)) continue;
    const truth = values.reduce((sum, value, i) => (types[i] === type ? sum + value : sum), 0);
    known.push({ quantity: { kind: "total", name: `total of ${name}`, type }, truth });
  }
  return known;
}
