"""What pages that say how something stands have in common: their style for light, dark and paper, and tables with pictures in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape

STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1d2430; --soft: #56607a; --rule: #d5dae3; --track: #e6eaf1;
  --good: #2b7a4b; --held: #b97a06; --bad: #b23a48; --due: #2563a8; --left: #8390a7; --asks: #8a5800; }
@media screen and (prefers-color-scheme: dark) { :root { --paper: #141820; --ink: #e7ebf3; --soft: #a6b0c3; --rule: #343c4b; --track: #2a313e;
  --good: #58b982; --held: #e0a63a; --bad: #f27483; --due: #6fa9ec; --left: #75819a; --asks: #e0a63a; } }
* { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
body { font: 15px/1.5 Helvetica, Arial, sans-serif; color: var(--ink); background: var(--paper); margin: 1.6rem auto; max-width: 60rem; padding: 0 1rem; }
h1 { font-size: 1.05rem; font-weight: 600; margin: 0; } h1 span { color: var(--soft); font-weight: 400; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; break-after: avoid; }
.verdict { border-left: .5rem solid var(--tone); background: color-mix(in srgb, var(--tone) 12%, var(--paper)); border-radius: .4rem;
  padding: .8rem 1.1rem; margin: .8rem 0 1.2rem; }
.well { --tone: var(--good); } .asks { --tone: var(--held); } .broken { --tone: var(--bad); }
.verdict > p { font-size: 1.5rem; line-height: 1.3; font-weight: 700; margin: 0; } .verdict ul { margin: .6rem 0 0; padding: 0; list-style: none; }
.verdict li { padding: .3rem 0 .3rem 1.6rem; text-indent: -1.6rem; } .verdict li b { display: inline-block; width: 1.6rem; text-indent: 0; color: var(--tone); }
.verdict li.asks b { color: var(--asks); }
.how { color: var(--soft); }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .7rem; }
.card { border: 1px solid var(--rule); border-radius: .5rem; padding: .5rem .9rem; } .card b { display: block; font-size: 1.45rem; line-height: 1.3; }
.card span, .note, .key { color: var(--soft); font-size: .88rem; } .key { font-weight: 400; }
code { font: .92em ui-monospace, Menlo, Consolas, monospace; background: var(--track); border-radius: .25rem; padding: .05rem .3rem; overflow-wrap: anywhere; }
svg { display: block; width: 100%; } svg.bar { height: 1.5rem; margin-bottom: .3rem; } svg.gauge { height: 1.1rem; min-width: 6rem; }
svg.runs { height: 5.2rem; }
.good { fill: var(--good); background: var(--good); } .held { fill: var(--held); background: var(--held); } .bad { fill: var(--bad); background: var(--bad); }
.due { fill: var(--due); background: var(--due); }
.left { fill: var(--left); background: var(--left); } .track { fill: var(--track); } .mark { fill: var(--ink); }
i { display: inline-block; width: .8rem; height: .8rem; border-radius: .15rem; margin-right: .5rem; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th, td { padding: .35rem .7rem; border-top: 1px solid var(--rule); text-align: left; vertical-align: top; } thead th { border-top: 0; color: var(--soft); }
th { font-weight: 600; } tr { break-inside: avoid; } .number { text-align: right; white-space: nowrap; } tbody th { font-weight: 400; }
.drawn { width: 34%; } .told { margin: .1rem 0 0; }
.answers { margin: .3rem 0 0; padding: 0; list-style: none; color: var(--soft); font-size: .9rem; }
@media print { body { margin: 0; max-width: none; font-size: 12px; } .verdict { background: none; border: 1px solid var(--tone); border-left-width: .5rem; } }
"""
_COMMAND = re.compile(r"`([^`]+)`")


def said(text: str) -> str:
    """Text, with its commands set as such."""
    return _COMMAND.sub(r"<code>\1</code>", escape(text, quote=False))


def note(text: str) -> str:
    """A remark below or beside a picture."""
    return f'<p class="note">{said(text)}</p>'


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Cells are HTML. A head with # stands over numbers, one with ~ over drawings."""
    classes = [{"#": ' class="number"', "~": ' class="drawn"'}.get(head[:1], "") for head in heads]
    names = "".join(f'<th scope="col"{kind}>{escape(head.lstrip("#~"))}</th>' for head, kind in zip(heads, classes, strict=True))
    body = "".join(f"<tr>{_cells(row, classes)}</tr>\n" for row in rows)
    return f'<div class="wide"><table><thead><tr>{names}</tr></thead><tbody>\n{body}</tbody></table></div>'


def _cells(row: Sequence[str], classes: Sequence[str]) -> str:
    """The first cell says what the row is about."""
    first, *others = zip(row, classes, strict=True)
    return f'<th scope="row"{first[1]}>{first[0]}</th>' + "".join(f"<td{kind}>{cell}</td>" for cell, kind in others)
