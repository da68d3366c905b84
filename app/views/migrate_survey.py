"""`stagesync migrate survey`: what would become of everybody, and what should be mended before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...sync.migrating.census import Column
from ..migrating.cost import Cost
from ..migrating.survey import Survey
from . import words
from .companies import companies_text
from .migrate_fates import WILL, fates_json, fates_text
from .plan import writes_text
from .report import share

_TOP = 12


def survey_text(found: Survey) -> Iterator[str]:
    """The survey as lines: who goes, what is lost on the way, what is to be answered, and what it costs."""
    yield f"Survey of the migration from {found.source} to {found.target}. Nothing is written yet."
    yield ""
    told = ", ".join(f"{system} has {words.count(count, 'record')}" for system, count in found.records.items())
    yield from words.readings(found.reading)
    yield f"{told}. Those of {found.source} would be"
    yield from fates_text(found.fates, WILL)
    yield from words.unread(found.unread)
    lines = list(written(found))
    yield from ["", *lines] if lines else []
    yield from _fields(found)
    yield from _places(found)
    yield from _unmapped(found)
    yield from companies(found)
    yield from _alike(found)
    yield from _asked(found)
    yield from _left(found)
    yield from _costs(found.costs)
    yield from _next(found)


def written(found: Survey) -> Iterator[str]:
    """What would be written to the target, which way, and what gives way to it, as lines."""
    if found.writes:
        writing = {cost.system: cost.writing for cost in found.costs}[found.target]
        yield f"In {found.target}: {writes_text(found.writes)} ({writing.ways()}; about {words.count(writing.calls, 'API call')})"
    if found.overruled:
        differs = words.count(found.overruled, "value differs", "values differ")
        yield f"{differs} there and would give way to {found.source}; both are kept on record, and `stagesync undo` puts them back"


def _fields(found: Survey) -> Iterator[str]:
    rows = [_field(column) for column in found.census.columns.values() if column.filled or column.troubles]
    if rows:
        yield ""
        yield f"Fields of {found.source}, how many records have a value, and what would not arrive as it is"
        yield from words.table(rows)


def _field(column: Column) -> tuple[str, str, str, str, str]:
    rate = share(column.filled / column.records if column.records else None)
    return (column.kind, f"{words.label(column.name)} ({column.native})", f"{column.filled:,}", rate, trouble(column))


def trouble(column: Column) -> str:
    """What would not arrive of a field."""
    parts = [] if column.arrives else ["stays behind: nothing to write it to in a new record"]
    longer = words.count(column.shortened, "is longer than the field there, and is shortened", "are longer than the field there, and are shortened")
    parts += [longer] if column.shortened else []
    parts += [f"{count:,} {reason}" for reason, count in column.troubles.most_common(3)]
    more = len(column.troubles) - 3
    return "; ".join([*parts, *([f"and {more} more reasons"] if more > 0 else [])])


def _places(found: Survey) -> Iterator[str]:
    if not found.places:
        return
    yield ""
    yield f"Where they stand: {found.source} says, it means, and {found.target} is given"
    rows = [(f"{each.records:,}", each.kind, each.said or "(blank)", each.place or _meaningless(each.mapped, each.said), given(each)) for each in found.places]
    yield from words.table(rows[: 2 * _TOP])
    if len(rows) > 2 * _TOP:
        yield f"  ... and {len(rows) - 2 * _TOP} more"


def _meaningless(mapped: bool, said: str) -> str:
    return "nothing" if mapped or not said else "nobody mapped it (`stagesync check` has the line)"


def given(place: Any) -> str:
    """What the target gets for a place."""
    if place.place is None:
        return "nothing"
    if place.written is None:
        return "nothing: it has no word for it"
    return place.written if place.exact else f"{place.written}, the nearest that it has"


def _unmapped(found: Survey) -> Iterator[str]:
    if not found.unmapped:
        return
    yield ""
    yield "Filled in by people, and mapped by nobody: it stays behind unless [fields.NAME] names it"
    rows = [(each.kind, f"{each.label} ({each.native})", f"in {share(each.filled / each.of)} of {each.of:,} looked into") for each in found.unmapped]
    yield from words.table(rows[: 2 * _TOP])
    if len(rows) > 2 * _TOP:
        yield f"  ... and {len(rows) - 2 * _TOP} more"


def companies(found: Survey) -> Iterator[str]:
    """To which companies people would be linked, as lines; none where they are not."""
    named = found.companies
    if named is None:
        return
    yield ""
    yield from companies_text(found.target, named)


def _alike(found: Survey) -> Iterator[str]:
    groups, records = found.alike
    if groups:
        yield ""
        yield f"{records:,} records of {found.source} may be of people who are there twice ({words.count(groups, 'group')}). Nothing is merged by guess:"
        yield f"  `stagesync duplicates find {found.source} --out review.csv` proposes them, and `duplicates apply` takes your decisions, before the load"


def _asked(found: Survey) -> Iterator[str]:
    if found.asked:
        yield ""
        yield "What waits for an answer, and would be left out until then (`stagesync holds`)"
        yield from (f"  {group.id}  {group.title}" for group in found.asked)


def _left(found: Survey) -> Iterator[str]:
    if found.notes:
        yield ""
        yield "What one of the two cannot carry"
        yield from (f"  {note}" for note in found.notes)


def _costs(found: tuple[Cost, ...]) -> Iterator[str]:
    yield ""
    yield "What it costs in API calls, and at least in minutes, by the edition of the account"
    for cost in found:
        parts = ", ".join(f"{calls:,} for {name}" for name, calls in cost.calls.items())
        yield f"  {cost.system}: {words.count(cost.total, 'call')}{f' ({parts})' if parts else ''}; one took {cost.call_s * 1000:,.0f} ms in this survey"
        yield from words.table([(bill.tier, minutes(bill.minutes), quota(bill.days)) for bill in cost.bills], 4)


def minutes(number: float) -> str:
    """A time as it is told."""
    return "under a minute" if number < 1 else f"{number:,.0f} min" if number < 120 else f"{number / 60:,.1f} h"


def quota(days: int) -> str:
    """Of how many days the quota is needed."""
    return "within one day's quota" if days <= 1 else f"the quota of {days:,} days"


def _next(found: Survey) -> Iterator[str]:
    yield ""
    yield "Next: mend what should not stay behind and survey again; then"
    yield "  stagesync migrate rehearse                     a few people first, read back, and put back if you like"
    yield f"  stagesync migrate load --approve {found.digest}"
    yield "The digest approves what this survey shows, and no more than the guards' limits beyond it."


def survey_json(found: Survey) -> dict[str, Any]:
    """The same as one object."""
    return {
        "from": found.source,
        "to": found.target,
        "digest": found.digest,
        "records": found.records,
        "fates": fates_json(found.fates),
        "adds_up": found.fates.told.total() == found.fates.records,
        "writes": found.writes,
        "overruled": found.overruled,
        "fields": [
            {
                "kind": column.kind,
                "field": column.name,
                "native": column.native,
                "records": column.records,
                "filled": column.filled,
                "longest": column.longest,
                "arrives": column.arrives,
                "shortened": column.shortened,
                "troubles": dict(column.troubles.most_common()),
            }
            for column in found.census.columns.values()
        ],
        "stages": [
            {
                "kind": each.kind,
                "says": each.said,
                "means": each.place,
                "written": each.written,
                "exact": each.exact,
                "mapped": each.mapped,
                "records": each.records,
            }
            for each in found.places
        ],
        "unmapped": [each._asdict() for each in found.unmapped],
        "companies": found.companies._asdict() if found.companies is not None else None,
        "alike": {"groups": found.alike[0], "records": found.alike[1]},
        "questions": [{"id": group.id, "question": group.title, "holds": group.count} for group in found.asked],
        "not_carried": list(found.notes),
        "costs": [
            {
                "system": cost.system,
                "calls": dict(cost.calls),
                "bulk": cost.writing.bulk,
                "jobs": cost.writing.jobs,
                "plain": cost.writing.plain,
                "call_s": round(cost.call_s, 4),
                "tiers": [{"tier": bill.tier, "minutes": round(bill.minutes, 2), "days": bill.days} for bill in cost.bills],
            }
            for cost in found.costs
        ],
        "unread": [{"system": system, "finding": finding} for system, finding in found.unread],
        "reading": [{"system": system, "note": note} for system, note in found.reading],
        "stops": [{"kind": stop.kind, "reason": stop.sentence} for stop in found.stops],
    }
