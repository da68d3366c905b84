"""`stagesync shadow report`: what would have been written, what others wrote, where they differ and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from ...model.shadow import ShadowRow
from ...state.links import LinkRow
from ...sync.deciding.claims import STAGE
from ...sync.shadows.shadow_count import FATES, Fate, Group, Key, Writer
from ..standing.shadow_report import ShadowReport
from . import words

V = TypeVar("V")

_HEADS = ("system", "field", "would write", "the same", "different", "not written", "overtaken", "only by others")
_TITLES: dict[Fate, str] = {
    "different": "Different: the other tool did something else",
    "unwritten": "Not written by the other tool so far",
    "alone": "Only by the other tool: stagesync would not have written it",
}
_MEANING = (
    ("the same", "others wrote the same value there"),
    ("different", "the other tool wrote another value, or undid the edit"),
    ("not written", "nobody has written it so far"),
    ("overtaken", "edited again by people first, or there is nothing to write it to any more"),
    ("only by others", "written by the other tool; stagesync would have left it as it was"),
)
_WHOLE = {"create": "(new record)", "archive": "(record archived)"}
_TOP = 12


def shadow_text(found: ShadowReport) -> list[str]:
    """The report as lines: since when, the table, stages, everything else that differs, the backlog, the questions, and who else writes."""
    looks = words.count(found.looks, "look")
    lines = [
        f"Shadow of {found.workspace}, {words.moment(found.since)} to {words.moment(found.until)} UTC: {looks}. Nothing was written to any system.",
        *(f"{system}: {finding}" for system, finding in found.findings),
        "",
        *_flow(found),
        *_stages(found),
        *_others(found),
        *_backlog(found),
        *_questions(found),
        *_writers(found),
    ]
    return [*lines, "", "To go live, run `stagesync plan` and `stagesync sync`: they begin with a first meeting of their own, and know nothing of the shadow."]


def _flow(found: ShadowReport) -> list[str]:
    table = found.count.table()
    if not table:
        return ["Since it began nobody has edited anything that would have been written elsewhere."]
    rows: list[tuple[str, ...]] = [_HEADS]
    for (account, op, name), counts in _by_system(found, table):
        would = sum(counts[fate] for fate in FATES if fate != "alone")
        rows.append((found.systems[account], _WHOLE.get(op) or words.label(name), *(f"{number:,}" for number in (would, *(counts[fate] for fate in FATES)))))
    lines = ["Since it began, of what would have been written:", *words.table(rows), ""]
    lines += words.table(_MEANING)
    if found.count.by_hand:
        lines.append(f"Of the same, {words.count(found.count.by_hand, 'was', 'were')} written by people.")
    lag = found.count.lag
    if lag.ours is not None:
        theirs = f"the other tool {words.span(lag.theirs)}, " if lag.theirs is not None else ""
        lines.append(f"From an edit to its copy, median: {theirs}stagesync {words.span(lag.ours)}, which is its timetable.")
    lines += [f"{system} cannot be looked at: what would have been sent there stays `not written`." for system in sorted(found.unseen)]
    if found.stopped:
        told = ", ".join(f"{kind} {number:,}" for kind, number in found.stopped.items())
        lines.append(f"Looks at which a guard would have stopped the run and asked first: {told}.")
    return lines


def _by_system(found: ShadowReport, lines: Mapping[tuple[int, str, str], V]) -> list[tuple[tuple[int, str, str], V]]:
    """Lines of (account, operation, field) in the order of the systems' names: accounts are numbered as they were met."""
    return sorted(lines.items(), key=lambda line: (found.systems[line[0][0]], *line[0]))


def _groups(found: ShadowReport, fate: Fate, *, stage: bool | None = None) -> list[tuple[Key, Group]]:
    """The groups of one fate, the largest first; only of stages, or only of anything else, if asked."""
    groups = [(key, group) for key, group in found.count.groups.items() if key.fate == fate and stage in (None, key.field == STAGE)]
    return sorted(groups, key=lambda pair: (-pair[1].count, found.systems[pair[0].account], pair[0].field, pair[0].reason, pair[0]))


def _stages(found: ShadowReport) -> list[str]:
    groups = [pair for fate in FATES for pair in _groups(found, fate, stage=True)]
    if not groups:
        return []
    back = sum(group.count for key, group in groups if key.lowered)
    ours = sum(group.lowering for key, group in groups if key.fate != "alone")
    lines = ["", f"Lifecycle stages: the other tool moved {words.count(back, 'person', 'people')} back, stagesync would have moved {ours:,} back"]
    same = sum(group.count for key, group in groups if key.fate == "same")
    lines += [f"  {words.count(same, 'move')} alike"] if same else []
    return lines + _differing(found, stage=True)


def _others(found: ShadowReport) -> list[str]:
    lines = _differing(found, stage=False)
    return ["", "Everything else", *lines] if lines else []


def _differing(found: ShadowReport, *, stage: bool) -> list[str]:
    lines: list[str] = []
    for fate, title in _TITLES.items():
        groups = _groups(found, fate, stage=stage)
        if not groups:
            continue
        lines.append(f"  {title} ({sum(group.count for _, group in groups):,})")
        for key, group in groups[:_TOP]:
            what = _WHOLE.get(key.op) or words.label(key.field)
            lines.append(f"    {group.count:,}  {found.systems[key.account]}, {what}: {_why(key)}")
            lines += [f"        {_example(found, row)}" for row in group.examples]
        if len(groups) > _TOP:
            lines.append(f"    ... and {len(groups) - _TOP:,} more reasons (`--json` has all)")
    return lines


def _why(key: Key) -> str:
    return f"{key.did}; stagesync would have written it: {words.reason(key.reason)}" if key.did else words.reason(key.reason)


def _example(found: ShadowReport, row: ShadowRow) -> str:
    where = _record(found, row)
    if row.op in _WHOLE:
        return where
    if row.op == "edit":
        return f"{where}: {words.change(row.before, row.theirs)}"
    there = f", others in {found.systems.get(row.written_in, '?')} {words.value(row.theirs)}" if row.written_in is not None else ""
    return f"{where}: stagesync {words.change(row.before, row.wanted)}{there}"


def _record(found: ShadowReport, row: ShadowRow) -> str:
    """Its address; for a record that is to be made, that of another one of the person."""
    record = found.records.get(row.link) if row.link is not None else None
    other = found.people.get(row.person)
    if record is not None or other is None:
        return _address(found, record)
    return f"for {_address(found, other)}"


def _address(found: ShadowReport, record: LinkRow | None) -> str:
    return "a record that is gone" if record is None else f"{found.systems[record.account]} {record.kind} {record.ref}"


def _backlog(found: ShadowReport) -> list[str]:
    if not found.count.backlog:
        return []
    rows = [
        (found.systems[account], _WHOLE.get(op) or words.label(name), f"{total:,} would be written", f"{same:,} since written alike by others" if same else "")
        for (account, op, name), (total, same) in _by_system(found, found.count.backlog)
    ]
    total = sum(number for number, _ in found.count.backlog.values())
    return ["", f"The backlog: {words.count(total, 'difference')} that stood when the shadow began", *words.table(rows)]


def _questions(found: ShadowReport) -> list[str]:
    if not found.questions:
        return []
    rows = [(f"{each.cases:,}", f"{each.new:,} of them since it began" if each.new else "when it began", each.title) for each in found.questions]
    return ["", "Questions that stagesync would ask before it writes anything there", *words.table(rows)]


def _writers(found: ShadowReport) -> list[str]:
    if not found.count.writers:
        return []
    rows = [("system", "who", "changes", "brought over", "")]
    rows += [
        (
            found.systems.get(each.account, "?"),
            _name(found, each),
            f"{each.changes:,}",
            f"{each.brought:,}",
            "taken for the other tool" if each.tool else "",
        )
        for each in _by_name(found)
    ]
    return ["", "Who else writes: whoever mostly brings over what another system has is taken for the other tool", *words.table(rows)]


def _by_name(found: ShadowReport) -> list[Writer]:
    return sorted(found.count.writers, key=lambda each: (found.systems.get(each.account, ""), -each.changes, each.author))


def _name(found: ShadowReport, writer: Writer) -> str:
    """As the other commands name them; integrations are told apart by their ids."""
    kind, _, id_ = writer.author.partition(" ")
    name = found.actors.actor(found.systems.get(writer.account, ""), writer.author) or "(nobody tells)"
    return f"{name} ({id_})" if kind == "integration" and id_ else name


def shadow_json(found: ShadowReport) -> dict[str, Any]:
    """The same as one object, with every reason."""
    return {
        "workspace": found.workspace,
        "since": words.stamp(found.since),
        "until": words.stamp(found.until),
        "looks": found.looks,
        "findings": [{"system": system, "finding": finding} for system, finding in found.findings],
        "fields": [
            {"system": found.systems[account], "operation": op, "field": name, **{fate: counts[fate] for fate in FATES}}
            for (account, op, name), counts in _by_system(found, found.count.table())
        ],
        "groups": list(_groups_json(found)),
        "same_by_people": found.count.by_hand,
        "lag_ms": {"other_tool": found.count.lag.theirs, "stagesync": found.count.lag.ours},
        "backlog": [
            {"system": found.systems[account], "operation": op, "field": name, "differences": total, "since_alike": same}
            for (account, op, name), (total, same) in _by_system(found, found.count.backlog)
        ],
        "questions": [{"question": each.title, "cases": each.cases, "new": each.new} for each in found.questions],
        "stopped": dict(found.stopped),
        "writers": [
            {"system": found.systems.get(each.account), "who": _name(found, each), "changes": each.changes, "brought": each.brought, "tool": each.tool}
            for each in _by_name(found)
        ],
    }


def _groups_json(found: ShadowReport) -> Iterator[dict[str, Any]]:
    for fate in FATES:
        for key, group in _groups(found, fate):
            yield {**_key_json(found, key), "count": group.count, "lowering": group.lowering, "examples": [_row_json(found, row) for row in group.examples]}


def _key_json(found: ShadowReport, key: Key) -> dict[str, Any]:
    told = {"operation": key.op, "field": key.field, "fate": key.fate, "did": key.did, "reason": key.reason, "lowered": key.lowered}
    return {"system": found.systems[key.account], **told}


def _row_json(found: ShadowReport, row: ShadowRow) -> dict[str, Any]:
    return {
        "person": row.person,
        "record": _record(found, row),
        "before": row.before,
        "wanted": row.wanted,
        "theirs": row.theirs,
        "theirs_in": found.systems.get(row.written_in) if row.written_in is not None else None,
        "edited": words.stamp(row.edited_at),
        "seen": words.stamp(row.seen_at),
        "theirs_at": words.stamp(row.at),
    }
