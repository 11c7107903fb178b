/** A section of the page: what is shown, in words too, and small plots side by side. */
import { escapeHtml } from "./text.ts";

export interface Panel {
  readonly title: string;
  /** The same as the plot says, for who does not see it. */
  readonly summary: string;
  readonly width: number;
  readonly height: number;
  /** SVG elements. */
  readonly body: string;
}

export function figure(
  id: string,
  title: string,
  explanation: string,
  panels: readonly Panel[],
  legend = "",
): string {
  const drawn = panels.map((panel, i) => drawPanel(`${id}-${i}`, panel)).join("\n");
  return `<section aria-labelledby="${id}"><h2 id="${id}">${escapeHtml(title)}</h2>
<p>${explanation}</p>${legend}<div class="panels">
${drawn}
</div></section>`;
}

function drawPanel(id: string, { title, summary, width, height, body }: Panel): string {
  return `<figure><figcaption>${escapeHtml(title)}</figcaption>
<svg viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="${id}-t ${id}-d">
<title id="${id}-t">${escapeHtml(title)}</title><desc id="${id}-d">${escapeHtml(summary)}</desc>
${body}</svg></figure>`;
}

export interface LegendEntry {
  /** SVG elements around (8, 8). */
  readonly mark: string;
  readonly text: string;
}

export function legend(entries: readonly LegendEntry[]): string {
  const items = entries.map(
    ({ mark, text }) =>
      `<li><svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">${mark}</svg>${escapeHtml(text)}</li>`,
  );
  return `<ul class="legend">${items.join("")}</ul>`;
}
