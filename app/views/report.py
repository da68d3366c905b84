"""The report as text, a hundred columns wide."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.cells import cell_len, set_cell_size

from ...lifecycle.report import Acceptance, Days, Part, Report, Volume
from . import words

_WIDTH, _LEAST, _NARROW = 98, 20, 7
_GROUPS, _UNITS = 20, 8


def report_text(found: Report, workspace: str) -> list[str]:
    """Period, volume with age, conversion with speed, passes, acceptance, groups, and what is to be known of the numbers."""
    head = f"Funnel {found.funnel.name} of {workspace}, {period(found)}"
    if not any(row.start or row.entered or row.end for row in found.whole.volume):
        return [head, "", "Nobody has been in any stage: the ledger begins with the first `stagesync sync`."]
    return [
        head,
        *_volume(found.whole),
        *_conversion(found.whole),
        *_acceptance(found.whole.acceptance),
        "",
        *passes_told(found.whole),
        *_groups(found),
        *(["", *notes(found.whole)] if notes(found.whole) else []),
    ]


def period(found: Report) -> str:
    """From when to when, in words."""
    until = words.moment(found.until)[:16]
    return f"everything up to {until} UTC" if found.since is None else f"from {words.moment(found.since)[:16]} up to {until} UTC"


def share(of: float | None) -> str:
    """A share in per cent; a dash where there is none."""
    return "-" if of is None else f"{100 * of:.1f} %"


def days(value: float | None) -> str:
    """Days with one digit, below a tenth of one with two."""
    return "-" if value is None else f"{value:,.1f}" if value >= 0.1 or value == 0 else f"{value:.2f}"


def passes_told(part: Part) -> list[str]:
    """How many came, came again, and were sent away or back."""
    told = part.passes
    rejected, recycled = (f"{count:,} ({share(count / told.worked if told.worked else None)})" for count in (told.rejected, told.recycled))
    return [
        f"{words.count(told.begun, 'pass', 'passes')} began, {told.again:,} of them somebody's second or later.",
        f"{words.count(told.worked, 'pass was', 'passes were')} in the line: {rejected} rejected, {recycled} sent back.",
    ]


def notes(part: Part) -> list[str]:
    """For how many the observed time counts, and how many did not enter but were met where they stood."""
    everybody = [row for row in part.volume if row.kind in ("stage", "side", "none")]
    entered, observed, met = (sum(getattr(row, column) for row in everybody) for column in ("entered", "observed", "met"))
    found: list[str] = []
    if observed:
        found.append(f"Of {words.count(entered, 'entry', 'entries')} {observed:,} have the time at which we saw them, since no vendor told another.")
    if met:
        found.append(f"{met:,} were met where they stood, and entered before that (`stagesync funnel seed` reads when, once).")
    return found


def _volume(part: Part) -> Iterator[str]:
    ages = {row.id: row for row in part.age}
    shown = [row for row in part.volume if row.kind in ("stage", "group", "all") or row.start or row.entered]
    rows = [(_name(row), *(f"{count:,}" for count in (row.start, row.entered, row.left, row.end)), *_pair(ages.get(row.id), row)) for row in shown]
    yield from ("", *_table(("People", "start", "in", "out", "end", "days there", "90 % below"), rows))


def _name(row: Volume) -> str:
    return f"{row.label} (group)" if row.kind == "group" else row.label


def _pair(age: Days | None, row: Volume) -> tuple[str, str]:
    return ("", "") if age is None or row.kind in ("group", "gone", "all") else (days(age.median), days(age.ninety))


def _conversion(part: Part) -> Iterator[str]:
    rows = [
        (
            row.label,
            *(f"{count:,}" for count in (row.entered, row.on)),
            share(row.rate),
            *(f"{count:,}" for count in (row.recycled, row.rejected, row.beside, row.gone, row.waiting)),
            days(time.median),
            days(time.ninety),
        )
        for row, time in zip(part.conversion, part.velocity, strict=True)
    ]
    yield from ("", *_table(("Of those who entered", "in", "went on", "share", "back", "rejected", "beside", "gone", "waiting", "days", "90 %"), rows))


def _acceptance(rows: Sequence[Acceptance]) -> Iterator[str]:
    if rows:
        told = [(row.label, f"{row.met:,}", f"{row.missed:,}", f"{row.running:,}", share(row.rate)) for row in rows]
        yield from ("", *_table(("Accepted in the agreed time", "met", "not met", "running", "share met"), told))


def _groups(found: Report) -> Iterator[str]:
    if found.by is None:
        return
    units = [number for number, row in enumerate(found.whole.conversion) if len(row.stages) == 1][:_UNITS]
    parts = moving(found)
    shown = parts[-_GROUPS:] if found.by == "cohort" else parts[:_GROUPS]
    heads = [found.whole.conversion[number].id for number in units]
    rows = [(group_name(part), f"{part.passes.begun:,}", *(share(part.conversion[number].rate) for number in units)) for part in shown]
    yield from ("", *_table((f"Went on, by {found.by}", "began", *heads), rows))
    if len(shown) < len(parts):
        yield f"  and {len(parts) - len(shown):,} more: --json and --csv have them all, with all their numbers"


def moving(found: Report) -> list[Part]:
    """The groups in which anybody entered anything; in the others people only stood."""
    return [part for part in found.parts if any(row.entered for row in part.conversion)]


def group_name(part: Part) -> str:
    """What a group is called."""
    return "(not known)" if part.group is None else "".join(sign if sign.isprintable() else " " for sign in part.group)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Names on the left, numbers on the right of their columns; names and heads give way to the width."""
    cells = [list(head), *(list(row) for row in rows)]
    if sum(_widths(cells)) > _WIDTH - _LEAST:
        cells[0][1:] = [short(cell, _NARROW) for cell in cells[0][1:]]
    widths = _widths(cells)
    first = min(max(cell_len(row[0]) for row in cells), max(_LEAST, _WIDTH - sum(widths)))
    lines = [(set_cell_size(short(row[0], first), first), "".join(cell.rjust(width) for cell, width in zip(row[1:], widths, strict=True))) for row in cells]
    return [f"{lines[0][0]}  {lines[0][1]}", *(f"  {name}{numbers}".rstrip() for name, numbers in lines[1:])]


def _widths(cells: Sequence[Sequence[str]]) -> list[int]:
    """How much room the columns of numbers take, with two blanks before each."""
    return [2 + max(len(row[column]) for row in cells) for column in range(1, len(cells[0]))]


def short(text: str, room: int) -> str:
    """As much of it as fits; signs of double width count twice."""
    return text if cell_len(text) <= room else f"{set_cell_size(text, room - 1).rstrip()}…"
