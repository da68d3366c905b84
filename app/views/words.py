"""How the views word things: times, values, people, counts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any


def moment(at: int | None) -> str:
    """A time in UTC, to the second; `at` in milliseconds since 1970."""
    return "time unknown" if at is None else datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def stamp(at: int | None) -> str | None:
    """A time for JSON: ISO 8601 in UTC with milliseconds."""
    return None if at is None else datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def value(shown: Any) -> str:
    """One value on one line: blank is said, text is quoted, and control characters cannot move the cursor."""
    if shown is None or shown == "":
        return "(blank)"
    if isinstance(shown, bool):
        return "yes" if shown else "no"
    if isinstance(shown, str):
        plain = "".join(sign if sign.isprintable() else " " for sign in shown)
        return f'"{plain if len(plain) <= 80 else plain[:79] + "…"}"'
    return str(shown)


def change(before: Any, after: Any) -> str:
    """`before -> after`."""
    return f"{value(before)} -> {value(after)}"


def label(field: str) -> str:
    """A field's name as people say it."""
    return {"stage": "lifecycle stage", "email": "e-mail", "email_opt_out": "opt-out of e-mail"}.get(field, field.replace("_", " "))


_RULES = (
    (re.compile(r"^conflict: (.+) goes first \(tie\)"), r"several changed it and nobody knows which came last, so \1 goes first"),
    (re.compile(r"^conflict: entered later in (.+)"), r"several changed it, \1 last"),
)


def reason(rule: str) -> str:
    """A rule's name as a reason that needs no knowledge of the merge."""
    for short, long in _RULES:
        rule = short.sub(long, rule)
    return rule


def count(number: int, one: str, many: str = "") -> str:
    """`1 person`, `2,310 people`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def span(ms: int) -> str:
    """A length of time as people say it: `under a minute`, `5 min`, `3 h`, `2 days`."""
    minutes = max(ms, 0) // 60_000
    if minutes < 1:
        return "under a minute"
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // (24 * 60):,} days"


def of_which_new(new: int, total: int) -> str:
    """`, 3 of them new`; nothing where none is."""
    if not new:
        return ""
    return f", {new:,} of them new" if new < total else ", new" if total == 1 else ", all new"


_MODES = {"shadow": "speaks for {} (shadow: nobody is moved; `stagesync qualify preview`)", "hold": "asks about {}", "apply": "moves {}"}


def promotions(promoted: Mapping[tuple[str, str], int]) -> list[str]:
    """For how many people each qualification rule speaks, as lines. `promoted`: (rule, mode) -> people."""
    return [f"The rule {rule} {_MODES[mode].format(count(people, 'person', 'people'))}." for (rule, mode), people in sorted(promoted.items())]


def unread(findings: Iterable[tuple[str, str]]) -> list[str]:
    """What a system did not tell although it was asked, as lines. `findings`: (system, finding)."""
    return [f"{system}: {finding}; it stays as it was, and the next run asks again." for system, finding in findings]


def readings(notes: Iterable[tuple[str, str]]) -> list[str]:
    """How a system was read, where somebody may want to know, as lines. `notes`: (system, note)."""
    return [f"{system}: {note}" for system, note in notes]


def person(values: Mapping[str, Any], number: int | None) -> str:
    """A person on one line: name and address as far as known, and our number, by which every command finds them."""
    name = " ".join(str(part) for part in (values.get("first_name"), values.get("last_name")) if part)
    address = f"<{values['email']}>" if values.get("email") else ""
    shown = " ".join(part for part in (name, address, f"(p{number})" if number is not None else "") if part)
    return "".join(sign if sign.isprintable() else " " for sign in shown)


def canonical_values(canonical: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    """Field -> value, of the hub's entries."""
    return {name: entry[0] for name, entry in canonical.items()}


def table(rows: Iterable[Sequence[str]], indent: int = 2) -> list[str]:
    """Rows as aligned columns; the last column is not padded."""
    kept = [list(row) for row in rows]
    if not kept:
        return []
    widths = [max(len(row[column]) for row in kept) for column in range(len(kept[0]))]
    return [(" " * indent + "  ".join([*(cell.ljust(width) for cell, width in zip(row[:-1], widths, strict=False)), row[-1]])).rstrip() for row in kept]
