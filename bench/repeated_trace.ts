/** A recording one time after the other in one trace: a short one would end before a run is under way. */
import { openTrace, writeTraceFile } from "#cli/trace_file.ts";
import type { EventBlock } from "#core/trace/event_block.ts";
import { EventCopier } from "../cli/trace/window.ts";

/** Writes `output`, with at least `records` records unless `input` has none. What `input` lost is left out. */
export async function repeatTrace(input: string, output: string, records: number): Promise<void> {
  const first = await openTrace(input);
  await first.close();
  await writeTraceFile(output, first.schema, async (writer) => {
    let shift_ns = 0n;
    for (let before = -1; before < writer.records && writer.records < records; ) {
      before = writer.records;
      const copier = new EventCopier(writer);
      let [first_ns, last_ns] = [0n, 0n];
      for await (const block of await openTrace(input)) {
        if (block.kind === "tasks") copier.define(block.tasks);
        if (block.kind !== "events") continue;
        if (first_ns === 0n) first_ns = block.base_ns;
        last_ns = block.base_ns + BigInt(block.timeDeltas_ns[block.count - 1]!);
        const shifted = later(block, shift_ns);
        for (let i = 0; i < block.count; i++) copier.append(shifted, i);
      }
      shift_ns += last_ns - first_ns;
    }
  });
}

function later(block: EventBlock, shift_ns: bigint): EventBlock {
  const base_ns = block.base_ns + shift_ns;
  return {
    ...block,
    base_ns,
    baseHigh: Number(base_ns >> 32n),
    baseLow: Number(base_ns & 0xffffffffn),
  };
}
