"""How the page of an audit looks: in light and in dark, on a screen, on a phone and on paper."""

from __future__ import annotations

CSS = """
:root {
  color-scheme: light dark;
  --paper: #fbfaf8; --card: #ffffff; --sunk: #f4f2ee; --ink: #1d1f24; --soft: #5a5f6a; --line: #e3dfd8;
  --focus: #1d5fd1;
  --critical: #a3123a; --critical-tint: #fbe7ec;
  --high: #a8400c; --high-tint: #fceadf;
  --medium: #7a5a00; --medium-tint: #faf0d2;
  --low: #24598c; --low-tint: #e4eef8;
  --info: #555b66; --info-tint: #eceef1;
  --good: #1e6b45; --good-tint: #e2f2e9;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14161a; --card: #1c1f25; --sunk: #23272e; --ink: #e9e7e3; --soft: #a6abb6; --line: #30353e;
    --focus: #8ab4ff;
    --critical: #ff8fa8; --critical-tint: #43202b;
    --high: #ffab7d; --high-tint: #40291d;
    --medium: #e6c45c; --medium-tint: #37301a;
    --low: #92c1f0; --low-tint: #1f3044;
    --info: #b9bec9; --info-tint: #2b2f37;
    --good: #86d3a9; --good-tint: #1d3529;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  overflow-wrap: anywhere;
}
header, main, footer { max-width: 60rem; margin: 0 auto; padding: 0 1.5rem; }
h1, h2, h3, p, dl, dd, ul, fieldset { margin: 0; padding: 0; }
h1 { font-size: clamp(1.6rem, 1.2rem + 2vw, 2.3rem); line-height: 1.15; letter-spacing: -.02em; font-weight: 650; }
h2 { font-size: 1.2rem; line-height: 1.3; letter-spacing: -.01em; font-weight: 650; }
h3 { font-size: 1rem; line-height: 1.4; font-weight: 600; }
code { font: .875em/1.5 ui-monospace, SFMono-Regular, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.soft { color: var(--soft); }
.small { font-size: .875rem; }

.masthead {
  display: flex; gap: 1.5rem 3rem; align-items: center; justify-content: space-between; padding-top: 3.5rem;
}
.masthead > div { min-width: 0; }
.kicker {
  color: var(--soft); font-size: .8125rem; letter-spacing: .08em; text-transform: uppercase;
  margin-bottom: .5rem;
}
.when { color: var(--soft); margin-top: .6rem; }
.score { flex: none; display: grid; place-items: center; width: 8.5rem; height: 8.5rem; position: relative; }
.score svg { position: absolute; inset: 0; width: 100%; height: 100%; transform: rotate(-90deg); }
.score circle { fill: none; stroke-width: 7; stroke: var(--line); }
.score .part { stroke-linecap: round; }
.score .part.good { stroke: var(--good); }
.score .part.fair { stroke: var(--medium); }
.score .part.poor { stroke: var(--critical); }
.score p { text-align: center; line-height: 1.1; }
.score strong {
  display: block; font-size: 2.4rem; font-weight: 650; letter-spacing: -.03em;
  font-variant-numeric: tabular-nums;
}
.explained { padding-top: 1.25rem; padding-bottom: 1.75rem; max-width: 60rem; margin: 0 auto; }
.explained p { max-width: 44rem; }

.filter { border: 0; display: grid; grid-template-columns: repeat(5, minmax(0, 1fr)); gap: .75rem; }
.filter legend { padding: 0; margin-bottom: .6rem; color: var(--soft); font-size: .875rem; }
.filter label {
  position: relative; display: block; cursor: pointer; padding: .85rem 1rem .8rem; border-radius: .75rem;
  border: 1px solid var(--line); background: var(--card); color: var(--soft);
}
.filter input { position: absolute; top: 1rem; right: .9rem; width: 1rem; height: 1rem; margin: 0; cursor: pointer; }
.filter b {
  display: block; font-size: 1.75rem; line-height: 1.15; font-weight: 650;
  font-variant-numeric: tabular-nums;
}
.filter label:focus-within { outline: 3px solid var(--focus); outline-offset: 2px; }
.filter input:focus { outline: none; }
.filter .critical:not(.none) b, .filter .critical input { color: var(--critical); accent-color: var(--critical); }
.filter .high:not(.none) b, .filter .high input { color: var(--high); accent-color: var(--high); }
.filter .medium:not(.none) b, .filter .medium input { color: var(--medium); accent-color: var(--medium); }
.filter .low:not(.none) b, .filter .low input { color: var(--low); accent-color: var(--low); }
.filter .info:not(.none) b, .filter .info input { color: var(--info); accent-color: var(--info); }
.filter label:not(:has(:checked)) { background: transparent; border-style: dashed; }

section { margin-top: 3rem; }
.heading {
  display: flex; flex-wrap: wrap; gap: .25rem 1rem; align-items: baseline; justify-content: space-between;
  margin-bottom: .9rem;
}
details {
  border: 1px solid var(--line); border-radius: .75rem; background: var(--card); margin-top: .6rem;
  overflow: hidden;
}
summary { cursor: pointer; list-style: none; padding: .9rem 1.1rem; position: relative; padding-right: 3rem; }
summary::-webkit-details-marker { display: none; }
summary::after {
  content: ""; position: absolute; right: 1.25rem; top: 1.35rem; width: .5rem; height: .5rem;
  border: solid var(--soft); border-width: 0 2px 2px 0; transform: rotate(45deg); transition: transform .15s;
}
details[open] > summary::after { transform: translateY(.25rem) rotate(-135deg); }
summary:focus-visible { outline: 3px solid var(--focus); outline-offset: -3px; border-radius: .75rem; }
summary:hover { background: var(--sunk); }
.finding { border-left: 4px solid var(--line); }
.finding.unknown { border-left-style: dashed; border-left-color: var(--soft); }
.failed.critical, .warned.critical { border-left-color: var(--critical); }
.failed.high, .warned.high { border-left-color: var(--high); }
.failed.medium, .warned.medium { border-left-color: var(--medium); }
.failed.low, .warned.low { border-left-color: var(--low); }
.failed.info, .warned.info { border-left-color: var(--info); }
.tags {
  display: flex; flex-wrap: wrap; gap: .4rem .5rem; align-items: center; margin-bottom: .35rem;
  font-size: .8125rem; color: var(--soft);
}
.tag {
  padding: .05rem .5rem; border-radius: 1rem; font-weight: 600; background: var(--info-tint);
  color: var(--info);
}
.tag.critical { background: var(--critical-tint); color: var(--critical); }
.tag.failed.critical { background: var(--critical); color: var(--card); }
.tag.high { background: var(--high-tint); color: var(--high); }
.tag.failed.high { background: var(--high); color: var(--card); }
.tag.medium { background: var(--medium-tint); color: var(--medium); }
.tag.failed.medium { background: var(--medium); color: var(--card); }
.tag.low { background: var(--low-tint); color: var(--low); }
.tag.failed.low { background: var(--low); color: var(--card); }
.tag.failed.info { background: var(--info); color: var(--card); }
.tag.passed { background: var(--good-tint); color: var(--good); }
.cause { margin-top: .2rem; color: var(--soft); }
.more { padding: .2rem 1.1rem 1.1rem; display: grid; gap: 1rem; }
.more h4 { margin: 0 0 .35rem; font-size: .8125rem; font-weight: 600; color: var(--soft); }
.remedy { background: var(--sunk); border-radius: .5rem; padding: .7rem .9rem; }
.evidence { display: grid; gap: .6rem; list-style: none; }
.evidence dl {
  display: grid; grid-template-columns: 6rem minmax(0, 1fr); gap: .15rem 1rem; padding-top: .6rem;
  border-top: 1px solid var(--line);
}
dt { color: var(--soft); font-size: .875rem; }
.rest { background: transparent; }
.rest > summary { color: var(--soft); }
.rest > .list { padding: 0 .6rem .6rem; }
.plain {
  padding: .9rem 1.1rem; border: 1px solid var(--line); border-left-width: 4px; border-radius: .75rem;
  margin-top: .6rem; background: var(--card);
}
footer {
  margin-top: 4rem; padding-top: 1.25rem; padding-bottom: 3rem; color: var(--soft); font-size: .875rem;
  border-top: 1px solid var(--line);
}

@supports selector(:has(a)) {
  .of { display: none; }
  body:has(#show-critical:checked) .of-critical, body:has(#show-high:checked) .of-high,
  body:has(#show-medium:checked) .of-medium, body:has(#show-low:checked) .of-low,
  body:has(#show-info:checked) .of-info { display: block; }
  .nothing { display: block; }
  body:has(.filter :checked) .nothing { display: none; }
}
@supports not selector(:has(a)) { .filter input, .nothing { display: none; } }

@media (max-width: 40rem) {
  header, main, footer { padding: 0 1rem; }
  h1 { font-size: 1.45rem; }
  .masthead { padding-top: 2rem; gap: 1rem; }
  .score { width: 6rem; height: 6rem; }
  .score strong { font-size: 1.7rem; }
  .filter { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: .6rem; }
  .filter label:first-of-type { grid-column: span 2; }
  section { margin-top: 2.25rem; }
  .evidence dl { grid-template-columns: 1fr; gap: 0; }
  dd + dt { margin-top: .35rem; }
}
@media (prefers-reduced-motion: reduce) { summary::after { transition: none; } }
@media print {
  body { background: none; font-size: 11pt; }
  .filter input, summary::after { display: none; }
  details, .plain { break-inside: avoid; }
}
"""
"""The whole style sheet: it is static, so that the page can name its hash and forbid every other."""
