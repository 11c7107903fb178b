/** Plain text tables: first column left, numbers right. */

export function formatCount(count: number): string {
  return count.toLocaleString("en-US");
}

/** Rows of equal length as aligned text, each line indented by `indent`. */
export function formatTable(rows: readonly (readonly string[])[], indent = "  "): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    });
  }
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!),
      )
      .join("  ")
      .trimEnd();
  return rows.map((row) => indent + line(row)).join("\n");
}
