/** Light and dark, on screen and paper; nothing comes from elsewhere. */

/** Colours that people with any colour vision tell apart (Okabe and Ito), darker on light ground. */
const SERIES_LIGHT = [
  "#0072b2",
  "#c45100",
  "#007a5a",
  "#a63d80",
  "#7a6a00",
  "#2f6f9f",
  "#8a3b12",
  "#4b4b9d",
  "#5b7a1e",
  "#666666",
];
const SERIES_DARK = [
  "#56b4e9",
  "#f0913c",
  "#2fc79a",
  "#e29bc4",
  "#e6d84a",
  "#8cc7ee",
  "#e0a07a",
  "#a6a6ea",
  "#b5d573",
  "#b5b5b5",
];

const seriesVariables = (colours: readonly string[]): string =>
  colours.map((colour, i) => `--s${i}: ${colour};`).join(" ");

const seriesRules = SERIES_LIGHT.map(
  (_, i) => `.s${i} { stroke: var(--s${i}); } .mark.s${i} { fill: var(--s${i}); }`,
).join("\n");

const LIGHT = `--ground: #ffffff; --panel: #f7f8fa; --text: #17202a; --faint: #5a6672; --line: #d9dfe6;
  --band: #d8eedd; --good: #17703a; --warned: #9a5b00; --missed: #b3261e; --bar: #9db7d5; ${seriesVariables(SERIES_LIGHT)}`;
const DARK = `--ground: #12161b; --panel: #191f26; --text: #e6eaee; --faint: #a3aeb9; --line: #333d48;
  --band: #1d3a27; --good: #5fcf8b; --warned: #f0b04f; --missed: #ff8a80; --bar: #4a6c94; ${seriesVariables(SERIES_DARK)}`;

export const STYLE = `
:root { color-scheme: light dark; ${LIGHT} }
@media (prefers-color-scheme: dark) { :root { ${DARK} } }
* { box-sizing: border-box; }
body { font: 15px/1.55 system-ui, sans-serif; margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 84rem;
  color: var(--text); background: var(--ground); }
h1 { font-size: 1.7rem; margin: 0; } h2 { font-size: 1.2rem; margin: 2.6rem 0 .2rem; }
p { max-width: 48rem; margin: .3rem 0; } .faint { color: var(--faint); }
dl { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1.2rem 0 0; }
dl div { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: .5rem .9rem; min-width: 9rem; }
dt { color: var(--faint); font-size: .82rem; } dd { margin: 0; font-size: 1.35rem; font-variant-numeric: tabular-nums; }
.panels { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 22rem), 1fr)); gap: 1rem; margin-top: .8rem; }
#course ~ .panels { grid-template-columns: repeat(auto-fill, minmax(min(100%, 30rem), 1fr)); }
figure { margin: 0; background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: .6rem .6rem .2rem; }
figcaption { font-weight: 600; font-size: .9rem; padding-left: .3rem; } svg { display: block; width: 100%; height: auto; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; padding: 0; margin: .5rem 0 0; font-size: .85rem; }
.legend li { display: flex; align-items: center; gap: .4rem; } .legend svg { width: 16px; }
svg text { font: 11px system-ui, sans-serif; fill: var(--text); } .label { text-anchor: end; } .tick { text-anchor: middle; }
svg text.tick { fill: var(--faint); } .grid { stroke: var(--line); } .band { fill: var(--band); } .bar { fill: var(--bar); }
line.good, line.warned, line.missed { stroke-width: 2; opacity: .55; }
.good { stroke: var(--good); fill: var(--good); } .warned { stroke: var(--warned); fill: var(--ground); stroke-width: 1.6; }
.missed { stroke: var(--missed); fill: var(--missed); stroke-width: 2; }
.series { fill: none; stroke-width: 1.6; }
${seriesRules}
.offered, .wanted, .kept { fill: none; } .offered { stroke: var(--faint); }
.wanted { stroke: var(--good); stroke-width: 5; opacity: .35; } .kept { stroke: var(--s0); stroke-width: 1.8; }
.table { overflow-x: auto; margin-top: .8rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .84rem; }
th, td { padding: .25rem .7rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { color: var(--faint); font-weight: 600; } th[scope=row] { color: var(--text); font-weight: 400; }
th.text, td.text { text-align: left; } td.note { white-space: normal; min-width: 18rem; text-align: left; }
td.is-warned { color: var(--warned); } td.is-missed { color: var(--missed); font-weight: 600; }
@media print { figure { break-inside: avoid; } }
`;
