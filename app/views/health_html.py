"""How a workspace is, as one HTML page to mail or print: first whether it needs somebody, then the pictures with their numbers beside them. It names nobody."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from html import escape

from ...state.runs import RunRow
from ..health import RUNS, Freshness, Health
from ..health_needs import MUCH, Need, needs, sentence, verdict
from . import words
from .health import PROOF, freshness, people_rows
from .health_svg import Column, Part, bar, columns, gauge
from .html_page import whole
from .queues import queue_rows
from .report import share
from .runs import state, took
from .schedule import next_run
from .sla import rate

_STYLE = """
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
_COLOURS = {"in sync": "good", "behind": "due", "held": "held", "refused": "bad", "left alone": "left"}
_ENDS = {"stopped": "bad", "broken": "bad", "applied": "good", "planned": "held"}
_SIGNS = {"well": "✓", "asks": "!", "broken": "✗"}
_COMMAND = re.compile(r"`([^`]+)`")
_TABLED = 10


def page(found: Health) -> str:
    """The page."""
    when = f"{words.moment(found.now)[:16]} UTC"
    body = [
        f"<header><h1>Sync health of {escape(found.workspace)} <span>{when}</span></h1></header><main>",
        _verdict(needs(found)),
        _cards(found),
        *_people(found),
        *_systems(found),
        *_holds(found),
        *_refused(found),
        *_acceptance(found),
        *_runs(found),
        "</main>",
    ]
    return whole(f"Sync health of {found.workspace}, {when}", _STYLE, body)


def _verdict(told: Sequence[Need]) -> str:
    word = verdict(told)
    rows = "".join(
        f'<li class="{"broken" if need.broken else "asks"}"><b>{_SIGNS["broken" if need.broken else "asks"]}</b>{_said(need.what)} '
        f'<span class="how">{_said(need.how)}</span></li>'
        for need in told
    )
    return f'<section class="verdict {word}"><p>{_SIGNS[word]} {escape(sentence(told))}</p>{f"<ul>{rows}</ul>" if rows else ""}</section>'


def _cards(found: Health) -> str:
    told = found.agreement
    never = not all(each.read_at for each in found.freshness)
    cards = [
        (share(told.share(told.in_sync)), f"of {words.count(told.everybody, 'person', 'people')} in sync"),
        (f"{found.cases:,}", "held until somebody answers"),
        (f"{sum(each.count for each in found.refused):,}", "refused or undelivered, parked"),
        ("never" if never else words.span(max(each.age_ms for each in found.freshness)), "since every system was read"),
    ]
    return '<div class="cards">' + "".join(f'<div class="card"><b>{escape(number)}</b><span>{escape(what)}</span></div>' for number, what in cards) + "</div>"


def _people(found: Health) -> Iterator[str]:
    rows = people_rows(found)
    yield "<h2>People</h2>" + bar("people", "People by how they stand", [Part(name, number, _COLOURS[name]) for name, _, number in rows])
    cells = [
        (
            f'<i class="{_COLOURS[name]}"></i>{name}',
            f"{number:,}",
            share(found.agreement.share(number)),
            f'<span class="key">{escape(meaning)}</span>',
        )
        for name, meaning, number in rows
    ]
    yield _table(("Standing", "#People", "#Share", "What it means"), cells)
    if found.unknown:
        yield _note(f"{words.count(found.unknown, 'write has', 'writes have')} no known outcome yet: the next run looks.")
    yield _note(PROOF)


def _systems(found: Health) -> Iterator[str]:
    yield "<h2>Systems</h2>"
    rows = [(escape(each.system), _fresh(each, number), _quota(found, each.system, number)) for number, each in enumerate(found.freshness)]
    yield _table(("System", "~How fresh", "~API calls of the day"), rows)
    if waiting := [(escape(system), escape(told)) for system, told in queue_rows(found.events)]:
        yield _table(("System", "Events that it posts or is posted"), waiting)
    yield _note("The mark is the bound: beyond it, what is known is too old, or the calls of a day may not last.")


def _fresh(each: Freshness, number: int) -> str:
    told, bound = freshness(each), f"too old after {words.span(each.bound_ms)}"
    share_of = 1.0 if each.read_at is None else each.age_ms / each.bound_ms / 2
    title = f"How old what is known of {each.system} is"
    return gauge(f"read{number}", title, share_of, 0.5, "bad" if each.stale else "good", f"{told}; {bound}") + _beside(told, bound)


def _quota(found: Health, system: str, number: int) -> str:
    quiet = [f"a quiet day costs {cost.a_day:,}" for cost in found.standing.costs if cost.quiet and cost.system == system and found.standing.row is not None]
    for each in found.quota:
        if each.system == system:
            told, at = f"{each.used:,} of {each.limit:,} used", f"at {words.moment(each.at)[:16]} UTC"
            colour = "held" if each.share >= MUCH else "due"
            return gauge(f"calls{number}", f"API calls of {system}", each.share, MUCH, colour, f"{told} {at}") + _beside(told, at, *quiet)
    return _beside("not told by its vendor", *quiet)


def _beside(told: str, *more: str) -> str:
    """What a gauge shows, in words, and what else is to be known of it."""
    return f'<p class="told">{escape(told)} <span class="key">{escape("".join(f" · {each}" for each in more))}</span></p>'


def _holds(found: Health) -> Iterator[str]:
    if not found.holds:
        return
    yield "<h2>Questions that wait for an answer</h2>"
    most = max(group.count for group in found.holds)
    rows: list[tuple[str, ...]] = []
    for number, group in enumerate(found.holds):
        answers = "".join(f"<li>{_said(f'`stagesync resolve {group.id} --use {use}`')} {escape(meaning)}</li>" for use, meaning in group.answers.items())
        drawing = gauge(f"hold{number}", "Cases of this question", group.count / most, None, "held", words.count(group.count, "case"))
        rows.append((f'{escape(group.plain_title)}<ul class="answers">{answers}</ul>', f"{group.count:,}", drawing))
    yield _table(("Question, and how it is answered", "#Cases", "~"), rows)


def _refused(found: Health) -> Iterator[str]:
    if not found.refused:
        return
    yield "<h2>Refused and parked, by cause</h2>"
    most = max(each.count for each in found.refused)
    rows: list[tuple[str, ...]] = []
    for number, each in enumerate(found.refused):
        where = f" in {escape(each.field)}" if each.field else ""
        helps = f"{each.helps[0].upper()}{each.helps[1:]}. Then `stagesync retry {each.id}`."
        drawing = gauge(f"cause{number}", "Writes or events with this cause", each.count / most, None, "bad", words.count(each.count, each.what))
        rows.append((f'{escape(each.system)}: {escape(each.code)}{where}<br><span class="key">{_said(helps)}</span>', f"{each.count:,}", drawing))
    yield _table(("Cause, and what helps", "#Count", "~"), rows)
    yield _note("`stagesync errors` has the vendor's own words, and the records.")


def _acceptance(found: Health) -> Iterator[str]:
    sla = found.acceptance
    if sla is None:
        return
    month = sla.month
    parts = [Part("in time", month.met, "good"), Part("still running", month.running, "due"), Part("not in time", month.missed, "bad")]
    yield "<h2>Acceptance in the agreed time, this month</h2>" + bar("accepted", "Clocks that started this month, by how they ended", parts)
    cells = [(f'<i class="{part.colour}"></i>{part.name}', f"{part.number:,}") for part in parts]
    yield _table(("Clocks", "#People"), cells)
    more = " or more" if sla.most else ""
    first = f", the first until {words.moment(sla.first_due_at)[:16]} UTC" if sla.first_due_at is not None else ""
    told = (
        f"In time: {share(rate(month))}. Waiting now: {sla.waiting:,} in time{first}; {sla.unanswered:,}{more} longer than agreed. `stagesync sla` names them."
    )
    yield _note(told)


def _runs(found: Health) -> Iterator[str]:
    yield "<h2>Runs</h2>" + _note(f"Timetable: {found.standing.config.timetable}. Next run: {next_run(found.standing)}")
    if not found.runs:
        yield _note("There was no run yet.")
        return
    drawn = [Column(_writes(row), _ENDS.get(row.state, "left"), _told(row)) for row in reversed(found.runs)]
    yield columns("runs", f"Writes of the last {len(drawn)} runs", drawn, RUNS)
    ends = (("good", "done"), ("bad", "stopped or broken off"), ("held", "planned only"), ("left", "any other"))
    yield '<p class="note key">Height: records written. Foot: ' + ", ".join(f'<i class="{colour}"></i>{name}' for colour, name in ends) + "</p>"
    rows = [
        (
            str(row.id),
            words.moment(row.started_at)[:16],
            took(row),
            f'<i class="{_ENDS.get(row.state, "left")}"></i>{escape(state(row))}',
            *(f"{int(count):,}" for count in (row.counts.get("people", 0), _writes(row), _held(row), row.counts.get("rejected", 0))),
        )
        for row in found.runs[:_TABLED]
    ]
    yield _table(("#Run", "Started (UTC)", "#Took", "Outcome", "#People", "#Written", "#Held", "#Refused"), rows)


def _writes(row: RunRow) -> int:
    return sum(int(row.counts.get(key, 0)) for key in ("created", "updated", "archived"))


def _held(row: RunRow) -> int:
    """Open questions after a run that was carried out, else in its plan."""
    return int(row.counts.get("open_holds", row.counts.get("held", 0)))


def _told(row: RunRow) -> str:
    return f"run {row.id}, {words.moment(row.started_at)[:16]} UTC, {state(row)}, {words.count(_writes(row), 'write')}"


def _said(text: str) -> str:
    """Text, with its commands set as such."""
    return _COMMAND.sub(r"<code>\1</code>", escape(text, quote=False))


def _note(text: str) -> str:
    return f'<p class="note">{_said(text)}</p>'


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Cells are HTML. A head with # stands over numbers, one with ~ over drawings."""
    classes = [{"#": ' class="number"', "~": ' class="drawn"'}.get(head[:1], "") for head in heads]
    names = "".join(f'<th scope="col"{kind}>{escape(head.lstrip("#~"))}</th>' for head, kind in zip(heads, classes, strict=True))
    body = "".join(f"<tr>{_cells(row, classes)}</tr>\n" for row in rows)
    return f'<div class="wide"><table><thead><tr>{names}</tr></thead><tbody>\n{body}</tbody></table></div>'


def _cells(row: Sequence[str], classes: Sequence[str]) -> str:
    """The first cell says what the row is about."""
    first, *others = zip(row, classes, strict=True)
    return f'<th scope="row"{first[1]}>{first[0]}</th>' + "".join(f"<td{kind}>{cell}</td>" for cell, kind in others)
