"""One line per measurement: what, how much, what it must reach, and whether it does."""

from __future__ import annotations

from typing import NamedTuple


class Line(NamedTuple):
    """`passed` None: only told."""

    what: str
    measured: str
    wanted: str = ""
    passed: bool | None = None


def printed(lines: list[Line]) -> str:
    """The table as text."""
    shown = [("what", "measured", "must be", ""), *((line.what, line.measured, line.wanted, _mark(line.passed)) for line in lines)]
    widths = [max(len(row[column]) for row in shown) for column in range(4)]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in shown]
    return "\n".join([text[0], "-" * sum(widths, 6), *text[1:]])


def _mark(passed: bool | None) -> str:
    return "" if passed is None else "ok" if passed else "MISSED"
