"""A migration as one HTML page to mail or print: the survey before, or the proof after. It names nobody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape

from ...sync.migrating.fates import FATES, Fate, Fates
from ..migrating.proof import Proof
from ..migrating.survey import Survey
from . import words
from .health_svg import Part, bar, gauge
from .html_page import whole
from .html_parts import STYLE, note, said, table
from .migrate_fates import DONE, WILL, why_of
from .migrate_load import proof_sentence, sum_text
from .migrate_survey import companies, given, minutes, quota, trouble, written
from .report import share
from .verify import verify_text

_COLOURS: Mapping[Fate, str] = {
    "created": "good",
    "matched": "due",
    "duplicate": "left",
    "excluded": "left",
    "rejected": "bad",
    "held": "held",
    "gone": "bad",
    "open": "held",
}
_MANY = 100
"""So many rows of one table are shown."""


def survey_page(found: Survey) -> str:
    """What would become of everybody, what would not arrive, and what it costs."""
    body = [
        *_head(f"Survey: from {found.source} to {found.target}", found.now),
        *map(note, ["Both systems were read, and nothing was written.", *words.readings(found.reading)]),
        '<div class="cards">' + "".join(_cards(found)) + "</div>",
        f"<h2>What would become of the records of {escape(found.source)}</h2>",
        *_fates(found.fates, WILL),
        *map(note, [*words.unread(found.unread), *written(found)]),
        *_fields(found),
        *_places(found),
        *_unmapped(found),
        *_companies(found),
        *_asked(found),
        *_costs(found),
        "</main>",
    ]
    return whole(f"Migration from {found.source} to {found.target}", STYLE, body)


def proof_page(found: Proof) -> str:
    """The verdict, the sum and the comparison."""
    word, sign = ("well", "✓") if found.complete else ("asks", "✓") if found.proved else ("broken", "✗")
    verdict = said(proof_sentence(found) if found.proved else f"Not proved: {proof_sentence(found)}")
    body = [
        *_head(f"Proof: from {found.source} to {found.target}", found.now),
        f'<section class="verdict {word}"><p>{sign} {verdict}</p></section>',
        f"<h2>What became of the {found.read:,} records of {escape(found.source)}</h2>",
        *_fates(found.fates, DONE),
        *(note(line.strip()) for line in sum_text(found)),
        "<h2>Every mapped field of every person, read again on both sides</h2>",
        *_compared(found),
        "</main>",
    ]
    return whole(f"Migration from {found.source} to {found.target}", STYLE, body)


def _head(title: str, now: int) -> Iterator[str]:
    yield f"<header><h1>{escape(title)} <span>{words.moment(now)[:16]} UTC</span></h1></header><main>"


def _cards(found: Survey) -> Iterator[str]:
    arriving = found.fates.of("created") + found.fates.of("matched")
    told = [
        (f"{found.fates.records:,}", f"records of {found.source}"),
        (share(arriving / found.fates.records if found.fates.records else None), f"arrive in {found.target}"),
        (f"{sum(group.count for group in found.asked):,}", "cases wait for an answer"),
        (f"{found.alike[1]:,}", "records that may be duplicates"),
    ]
    return (f'<div class="card"><b>{escape(number)}</b><span>{escape(what)}</span></div>' for number, what in told)


def _fates(found: Fates, meaning: Mapping[Fate, str]) -> Iterator[str]:
    yield bar("fates", "The source's records by what becomes of them", [Part(each, found.of(each), _COLOURS[each]) for each in FATES])
    told = sorted(found.told.items(), key=lambda each: (FATES.index(each[0][0]), -each[1]))
    of = found.told.total() or 1
    rows = [
        (f'<i class="{_COLOURS[fate]}"></i>{said(meaning[fate])}', f"{count:,}", share(count / of), f'<span class="key">{said(why_of(fate, why))}</span>')
        for (fate, why), count in told
    ]
    yield table(("They are", "#Records", "#Share", "Why"), rows)
    yield note(f"{found.told.total():,} together, of {found.records:,} that were read.")


def _fields(found: Survey) -> Iterator[str]:
    columns = [column for column in found.census.columns.values() if column.filled or column.troubles]
    if not columns:
        return
    yield "<h2>Fields: how many records have a value, and what would not arrive as it is</h2>"
    rows = []
    for number, column in enumerate(columns):
        rate, wrong = column.filled / column.records if column.records else 0.0, trouble(column)
        title = f"{words.label(column.name)} of {column.kind}"
        drawn = gauge(f"fill{number}", title, rate, None, "held" if wrong else "good", f"{column.filled:,} of {column.records:,}")
        name = f'{escape(column.kind)}: {escape(words.label(column.name))} <span class="key">{escape(column.native)}</span>'
        rows.append((name, f"{column.filled:,}", share(rate), drawn, escape(wrong)))
    yield table(("Field", "#Filled", "#Share", "~", "What would not arrive as it is"), rows)


def _places(found: Survey) -> Iterator[str]:
    if not found.places:
        return
    most = max(each.records for each in found.places)
    yield f"<h2>Stages: {escape(found.source)} says, it means, {escape(found.target)} is given</h2>"
    rows = []
    for number, each in enumerate(found.places[:_MANY]):
        colour = "good" if each.exact else "held" if each.mapped else "bad"
        drawn = gauge(f"place{number}", each.said or "(blank)", each.records / most, None, colour, words.count(each.records, "record"))
        means = each.place or ("nothing" if each.mapped else "nobody mapped it")
        rows.append((escape(each.said or "(blank)"), escape(means), escape(given(each)), f"{each.records:,}", drawn))
    yield table((found.source, "Means", found.target, "#Records", "~"), rows)


def _unmapped(found: Survey) -> Iterator[str]:
    if not found.unmapped:
        return
    yield "<h2>Filled in by people, and mapped by nobody</h2>"
    rows = []
    for number, each in enumerate(found.unmapped[:_MANY]):
        drawn = gauge(f"unmapped{number}", each.label, each.filled / each.of, None, "left", f"{each.filled:,} of {each.of:,}")
        rows.append((f'{escape(each.label)} <span class="key">{escape(each.native)}</span>', share(each.filled / each.of), drawn))
    yield table(("Field", "#Filled", "~"), rows)
    yield note("Of a sample of the records. It stays behind unless a table `[fields.NAME]` names it.")


def _companies(found: Survey) -> Iterator[str]:
    lines = [line.strip() for line in companies(found)]
    if lines:
        yield f"<h2>{escape(lines[1])}</h2>"
        yield from map(note, lines[2:])


def _asked(found: Survey) -> Iterator[str]:
    if found.asked:
        yield "<h2>Questions that wait for an answer</h2>"
        yield table(("Question", "#Cases"), [(escape(group.plain_title), f"{group.count:,}") for group in found.asked])
        yield note("`stagesync holds` has the answers that there are. Until then these are left out.")
    if found.notes:
        yield "<h2>What one of the two cannot carry</h2><ul>" + "".join(f"<li>{escape(sentence)}</li>" for sentence in found.notes) + "</ul>"


def _costs(found: Survey) -> Iterator[str]:
    yield "<h2>What it costs</h2>"
    rows = [
        (f"{escape(cost.system)}: {escape(bill.tier)}", f"{cost.total:,}", minutes(bill.minutes), quota(bill.days))
        for cost in found.costs
        for bill in cost.bills
    ]
    yield table(("Edition of the account", "#API calls", "#At least", "Quota"), rows)
    yield note(f"Reckoned with calls that take as long as in this survey. What it showed is approved by `stagesync migrate load --approve {found.digest}`")


def _compared(found: Proof) -> Iterator[str]:
    counts = {"in sync": found.compared.in_sync, "held": found.compared.held, "drifted": found.compared.drifted, "missing": found.compared.orphans}
    colours = {"in sync": "good", "held": "held", "drifted": "bad", "missing": "bad"}
    yield bar("compared", "Records by how they compare", [Part(name, count, colours[name]) for name, count in counts.items()])
    yield table(("Records", "#Number"), [(f'<i class="{colours[name]}"></i>{name}', f"{count:,}") for name, count in counts.items()])
    rows = [(escape(system), escape(words.label(name)), f"{count:,}") for (system, name), count in sorted(found.compared.differing.items())]
    if rows:
        yield table(("System", "Field that differs", "#Records"), rows)
    rows = [(escape(system), escape(words.label(name)), f"{count:,}") for (system, name), count in sorted(found.compared.unprovable.items())]
    if rows:
        yield note("Where a system cannot carry the value, or its own value may stay, there is nothing to prove:")
        yield table(("System", "Field that it cannot carry", "#Records"), rows)
    yield from (note(f"{system}: {finding}") for system, finding in found.compared.unread)
    yield note(verify_text(found.compared)[-1] if found.compared.proved else "`stagesync migrate verify` names the records that differ.")
