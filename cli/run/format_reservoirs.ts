import type { EventReservoir } from "#core/sampling/event_reservoirs.ts";
import { formatCount, formatTable } from "../table.ts";

/** Samples of fixed size as a table: how large each is, and how many events it stands for. */
export function formatReservoirs(reservoirs: readonly EventReservoir[]): string {
  const rows = reservoirs.map(({ event_type, epoch, delivered, events }) => {
    const standsFor = events.reduce((sum, { weight }) => sum + weight, 0);
    const counts = [delivered, events.length, Math.round(standsFor)];
    return [event_type, String(epoch), ...counts.map(formatCount)];
  });
  return formatTable([["event", "epoch", "delivered", "in the sample", "stands for"], ...rows]);
}
