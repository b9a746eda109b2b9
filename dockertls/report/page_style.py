"""The style sheet of an audit's page: light and dark, narrow and wide, and the filter by severity."""

from __future__ import annotations

STYLE = """\
:root { color-scheme: light dark; --ink: #1a1d21; --soft: #5a626b; --paper: #fbfbfa; --card: #fff; --line: #dcdfe3;
  --failed: #b3261e; --warned: #8a5a00; --unknown: #4a5aa8; --passed: #1f6f43; --track: #e8eaed; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --soft: #a2abb5; --paper: #14171a; --card: #1c2024;
  --line: #343a41; --failed: #ff9d94; --warned: #f0bf5e; --unknown: #aebbff; --passed: #7fd3a3; --track: #2b3036; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; padding: 2rem 1rem 4rem; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .25rem; font-weight: 650; }
h2 { font-size: 1.1rem; margin: 2.25rem 0 .6rem; font-weight: 650; }
p { margin: .25rem 0; }
.soft { color: var(--soft); }
.score { display: flex; align-items: baseline; gap: .75rem; margin: 1.5rem 0 .5rem; }
.score b { font-size: 3rem; line-height: 1; font-weight: 650; font-variant-numeric: tabular-nums; }
meter { display: block; width: 100%; height: .6rem; }
.numbers { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin: .75rem 0 1.5rem; padding: 0; list-style: none; }
fieldset { border: 1px solid var(--line); border-radius: .5rem; padding: .5rem .75rem; margin: 0;
  display: flex; flex-wrap: wrap; gap: .25rem 1.1rem; }
legend { color: var(--soft); font-size: .85rem; padding: 0 .35rem; }
label { display: inline-flex; align-items: center; gap: .4rem; cursor: pointer; min-height: 2rem; }
details { background: var(--card); border: 1px solid var(--line); border-left: .3rem solid var(--edge, var(--line));
  border-radius: .4rem; margin: .4rem 0; }
summary { padding: .6rem .8rem; cursor: pointer; list-style-position: inside; }
summary:focus-visible, input:focus-visible { outline: 3px solid var(--unknown); outline-offset: 2px; }
.tag { font-weight: 650; color: var(--edge); }
.id { font-family: ui-monospace, monospace; font-size: .85rem; color: var(--soft); }
.told { display: block; margin: .2rem 0 0 1.1rem; }
.more { padding: .1rem .8rem .8rem 1.9rem; border-top: 1px solid var(--line); }
.more dt { font-weight: 650; margin-top: .6rem; }
.more dd { margin: 0; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line); }
th { font-weight: 650; color: var(--soft); }
.failed { --edge: var(--failed); } .warned { --edge: var(--warned); } .unknown { --edge: var(--unknown); }
.passed { --edge: var(--passed); } .not-applicable, .let-be { --edge: var(--soft); }
.rest > summary { color: var(--soft); }
body:has(#critical:checked) .finding:not(.critical),
body:has(#high:checked) .finding:not(.critical, .high),
body:has(#medium:checked) .finding:not(.critical, .high, .medium),
body:has(#low:checked) .finding:not(.critical, .high, .medium, .low) { display: none; }
@media (max-width: 34rem) { .wide { display: block; overflow-x: auto; } body { padding-top: 1.25rem; } }
@media print { fieldset { display: none; } details { break-inside: avoid; } }
"""
