"""How a workspace is, as one HTML page to mail or print: first whether it needs somebody, then the pictures with their numbers beside them. It names nobody."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from ...state.runs import RunRow
from ..standing.health import RUNS, Freshness, Health
from ..standing.health_needs import MUCH, Need, needs, sentence, verdict
from . import words
from .health import PROOF, freshness, people_rows
from .health_svg import Column, Part, bar, columns, gauge
from .html_page import whole
from .html_parts import STYLE, note, said, table
from .queues import queue_rows
from .report import share
from .runs import state, took
from .schedule import next_run
from .sla import rate

_COLOURS = {"in sync": "good", "behind": "due", "held": "held", "refused": "bad", "left alone": "left"}
_ENDS = {"stopped": "bad", "broken": "bad", "applied": "good", "planned": "held"}
_SIGNS = {"well": "✓", "asks": "!", "broken": "✗"}
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
    return whole(f"Sync health of {found.workspace}, {when}", STYLE, body)


def _verdict(told: Sequence[Need]) -> str:
    word = verdict(told)
    rows = "".join(
        f'<li class="{"broken" if need.broken else "asks"}"><b>{_SIGNS["broken" if need.broken else "asks"]}</b>{said(need.what)} '
        f'<span class="how">{said(need.how)}</span></li>'
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
    yield table(("Standing", "#People", "#Share", "What it means"), cells)
    if found.unknown:
        yield note(f"{words.count(found.unknown, 'write has', 'writes have')} no known outcome yet: the next run looks.")
    yield note(PROOF)


def _systems(found: Health) -> Iterator[str]:
    yield "<h2>Systems</h2>"
    rows = [(escape(each.system), _fresh(each, number), _quota(found, each.system, number)) for number, each in enumerate(found.freshness)]
    yield table(("System", "~How fresh", "~API calls of the day"), rows)
    if waiting := [(escape(system), escape(told)) for system, told in queue_rows(found.events)]:
        yield table(("System", "Events that it posts or is posted"), waiting)
    yield note("The mark is the bound: beyond it, what is known is too old, or the calls of a day may not last.")


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
        answers = "".join(f"<li>{said(f'`stagesync resolve {group.id} --use {use}`')} {escape(meaning)}</li>" for use, meaning in group.answers.items())
        drawing = gauge(f"hold{number}", "Cases of this question", group.count / most, None, "held", words.count(group.count, "case"))
        rows.append((f'{escape(group.plain_title)}<ul class="answers">{answers}</ul>', f"{group.count:,}", drawing))
    yield table(("Question, and how it is answered", "#Cases", "~"), rows)


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
        rows.append((f'{escape(each.system)}: {escape(each.code)}{where}<br><span class="key">{said(helps)}</span>', f"{each.count:,}", drawing))
    yield table(("Cause, and what helps", "#Count", "~"), rows)
    yield note("`stagesync errors` has the vendor's own words, and the records.")


def _acceptance(found: Health) -> Iterator[str]:
    sla = found.acceptance
    if sla is None:
        return
    month = sla.month
    parts = [Part("in time", month.met, "good"), Part("still running", month.running, "due"), Part("not in time", month.missed, "bad")]
    yield "<h2>Acceptance in the agreed time, this month</h2>" + bar("accepted", "Clocks that started this month, by how they ended", parts)
    cells = [(f'<i class="{part.colour}"></i>{part.name}', f"{part.number:,}") for part in parts]
    yield table(("Clocks", "#People"), cells)
    more = " or more" if sla.most else ""
    first = f", the first until {words.moment(sla.first_due_at)[:16]} UTC" if sla.first_due_at is not None else ""
    told = (
        f"In time: {share(rate(month))}. Waiting now: {sla.waiting:,} in time{first}; {sla.unanswered:,}{more} longer than agreed. `stagesync sla` names them."
    )
    yield note(told)


def _runs(found: Health) -> Iterator[str]:
    yield "<h2>Runs</h2>" + note(f"Timetable: {found.standing.config.timetable}. Next run: {next_run(found.standing)}")
    if not found.runs:
        yield note("There was no run yet.")
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
    yield table(("#Run", "Started (UTC)", "#Took", "Outcome", "#People", "#Written", "#Held", "#Refused"), rows)


def _writes(row: RunRow) -> int:
    return sum(int(row.counts.get(key, 0)) for key in ("created", "updated", "archived"))


def _held(row: RunRow) -> int:
    """Open questions after a run that was carried out, else in its plan."""
    return int(row.counts.get("open_holds", row.counts.get("held", 0)))


def _told(row: RunRow) -> str:
    return f"run {row.id}, {words.moment(row.started_at)[:16]} UTC, {state(row)}, {words.count(_writes(row), 'write')}"
