/** Texts of the report page. */

export function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

/** Three digits at least: 94.6 %, 2.31 %, 0.0412 %. */
export function percent(share: number): string {
  const value = 100 * share;
  if (value === 0 || Math.abs(value) >= 10) return `${value.toFixed(1)} %`;
  const digits = Math.min(6, 2 - Math.floor(Math.log10(Math.abs(value))));
  return `${value.toFixed(digits)} %`;
}

/** As short as an axis wants it: 1 %, 0.01 %. */
export function shortPercent(share: number): string {
  return `${Number((100 * share).toPrecision(3))} %`;
}

export function plural(count: number, what: string): string {
  return `${count.toLocaleString("en")} ${what}${count === 1 ? "" : "s"}`;
}
