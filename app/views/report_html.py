"""The report as one HTML page to mail or print, its pictures inside it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from ...lifecycle.report import Part, Report
from .html_page import whole
from .report import days, group_name, moving, notes, passes_told, period, share
from .report_charts import pictures

_STYLE = """
body { font: 15px/1.5 Helvetica, Arial, sans-serif; color: #1d2430; background: #ffffff; margin: 2rem auto; max-width: 62rem; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: 0; } h2 { font-size: 1.15rem; margin: 2rem 0 .4rem; } p.when { color: #56607a; margin-top: .2rem; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.6rem, 1fr)); gap: .7rem; margin: 1.2rem 0; }
.card { border: 1px solid #d5dae3; border-radius: .5rem; padding: .6rem .9rem; }
.card b { display: block; font-size: 1.5rem; } .card span { color: #56607a; font-size: .85rem; }
svg { width: 100%; height: auto; } figure { margin: 0; break-inside: avoid; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; break-inside: avoid; }
th, td { padding: .3rem .6rem; border-top: 1px solid #d5dae3; text-align: right; } th { border-top: 0; color: #56607a; font-weight: 600; }
th:first-child, td:first-child { text-align: left; overflow-wrap: anywhere; } tr.sum td { font-weight: 600; border-top-width: 2px; }
td + td, th + th { white-space: nowrap; } tr.side td:first-child { color: #56607a; } p.note { color: #56607a; font-size: .9rem; }
"""


def page(found: Report, workspace: str) -> str:
    """The page. It holds numbers and, where the report is by owner or source, their names; nobody whom the numbers are about."""
    part = found.whole
    title = f"{workspace}: funnel {found.funnel.name}"
    body = [
        f'<h1>{escape(title)}</h1><p class="when">{escape(period(found))}</p>',
        _cards(part),
        *(f"<h2>{escape(name)}</h2><figure>{drawing}</figure>" for name, drawing in pictures(found)),
        *_tables(part),
        *_groups(found),
        *(f'<p class="note">{escape(line)}</p>' for line in (*passes_told(part), *notes(part))),
    ]
    return whole(title, _STYLE, body)


def _cards(part: Part) -> str:
    everybody = part.volume[-1]
    met, missed = sum(row.met for row in part.acceptance), sum(row.missed for row in part.acceptance)
    told = part.passes
    cards = [
        (f"{everybody.end:,}", f"people at the end ({everybody.end - everybody.start:+,})"),
        (f"{told.begun:,}", "passes began"),
        (f"{told.again:,}", "of them second or later"),
        (share(told.rejected / told.worked if told.worked else None), "of those in the line rejected"),
        (share(told.recycled / told.worked if told.worked else None), "of those in the line sent back"),
        *([(share(met / (met + missed)), "accepted in the agreed time")] if met + missed else []),
    ]
    return '<div class="cards">' + "".join(f'<div class="card"><b>{escape(number)}</b><span>{escape(what)}</span></div>' for number, what in cards) + "</div>"


def _tables(part: Part) -> Iterable[str]:
    ages = {row.id: row for row in part.age}
    rows: list[tuple[str, Sequence[str]]] = []
    for row in part.volume:
        if row.kind in ("side", "none") and not (row.start or row.entered):
            continue
        age = ages.get(row.id) if row.kind not in ("group", "gone", "all") else None
        numbers = [f"{count:,}" for count in (row.start, row.entered, row.left, row.end)]
        label = f"{row.label} (group)" if row.kind == "group" else row.label
        rows.append(
            ({"all": "sum", "side": "side", "gone": "side"}.get(row.kind, ""), (label, *numbers, *((days(age.median), days(age.ninety)) if age else ("", ""))))
        )
    yield _table("People", ("", "at the start", "in", "out", "at the end", "median days there", "90 % below"), rows)
    told = [
        (
            row.label,
            *(f"{count:,}" for count in (row.entered, row.on)),
            share(row.rate),
            *(f"{count:,}" for count in (row.recycled, row.rejected, row.beside, row.gone, row.waiting)),
        )
        for row in part.conversion
    ]
    heads = ("", "entered", "went on", "share", "sent back", "rejected", "otherwise beside", "no record left", "waiting", "median days to go on", "90 % below")
    times = [(days(row.median), days(row.ninety)) for row in part.velocity]
    yield _table("Of those who entered", heads, [("", (*row, *time)) for row, time in zip(told, times, strict=True)])
    if part.acceptance:
        clocks = [("", (row.label, f"{row.met:,}", f"{row.missed:,}", f"{row.running:,}", share(row.rate))) for row in part.acceptance]
        yield _table("Accepted in the agreed time", ("", "in time", "not in time", "running", "share in time"), clocks)


def _groups(found: Report) -> Iterable[str]:
    if found.by is not None:
        steps = [number for number, row in enumerate(found.whole.conversion) if len(row.stages) == 1]
        heads = ("", "passes began", *(found.whole.conversion[number].label for number in steps))
        rows = [("", (group_name(part), f"{part.passes.begun:,}", *(share(part.conversion[number].rate) for number in steps))) for part in moving(found)]
        yield _table(f"Share that went on, by {found.by}", heads, rows)


def _table(title: str, heads: Sequence[str], rows: Iterable[tuple[str, Sequence[str]]]) -> str:
    head = "".join(f"<th>{escape(each)}</th>" for each in heads)
    body = "".join(f'<tr class="{name}">' + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>\n" for name, cells in rows)
    return f'<h2>{escape(title)}</h2><div class="wide"><table><thead><tr>{head}</tr></thead><tbody>\n{body}</tbody></table></div>'
