"""A funnel on the terminal: one row of boxes per position, parallel stages beside each other, side states below."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

from rich.cells import cell_len

from ...lifecycle.funnel import Crosswalk, Funnel, Stage
from ...lifecycle.presets import PRESETS, crosswalk, preset
from .words import table

_LABEL = 18
"""So wide is a label before it goes on in the next line; three boxes then stand beside each other on 80 columns."""


def funnels_text() -> list[str]:
    """Every preset on one line."""
    return table([(name, " > ".join(" | ".join(stage.id for stage in column) for column in preset(name).columns)) for name in PRESETS], indent=0)


def funnels_json() -> dict[str, Any]:
    """Every preset."""
    return {"funnels": [funnel_json(preset(name)) for name in PRESETS]}


def funnel_json(funnel: Funnel) -> dict[str, Any]:
    """The funnel with all that is known of it."""
    return {
        "name": funnel.name,
        "title": funnel.title,
        "stages": [
            {"id": stage.id, "label": stage.label, "team": stage.team, "position": stage.position, "entry": stage.entry, "won": stage.won}
            for stage in funnel.stages.values()
        ],
        "groups": [{"id": group.id, "label": group.label, "stages": list(group.stages)} for group in funnel.groups.values()],
        "sides": [
            {"id": side, "label": label, "rejection": side in funnel.rejections, "reentry": side in funnel.reentries, "reasons": _reasons(funnel, side)}
            for side, label in funnel.sides.items()
        ],
        "moves": {place: sorted(following) for place, following in funnel.moves.items()},
        "crosswalks": {
            way.target: [{"stage": stage, "there": there, "lossy": stage in way.lossy} for stage, there in way.stages.items()] for way in _ways(funnel)
        },
    }


def funnel_text(funnel: Funnel) -> list[str]:
    """The picture, the side states, and what else there is to know."""
    lines = [f"{funnel.name}: {funnel.title}" if funnel.title else funnel.name]
    for number, column in enumerate(funnel.columns, 1):
        lines += _row(funnel, f"{number:>2}  ", column)
    if any(stage.entry for stage in funnel.stages.values()):
        lines.append("    → people come in here without passing what is before")
    lines += _titled("Beside the line", list(_sides(funnel)))
    lines += _titled("Groups", [(group.id, group.label, f"any of {', '.join(group.stages)}") for group in funnel.groups.values()])
    lines += _titled("Allowed moves (from all other stages: forward to any)", list(_moves(funnel)))
    for way in _ways(funnel):
        rows = [(stage, f"{there} (lossy)" if stage in way.lossy else there) for stage, there in way.stages.items()]
        lines += _titled(f"Called in {way.target}", rows)
    return lines


def plain(lines: Sequence[str], encoding: str | None) -> list[str]:
    """The same in ASCII signs where the terminal's encoding has no others."""
    try:
        "┌─┐│└┘→".encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return [line.translate(_ASCII).encode("ascii", "replace").decode() for line in lines]
    return list(lines)


_ASCII = str.maketrans("┌─┐│└┘→", "+-+|++>")


def _row(funnel: Funnel, margin: str, column: Sequence[Stage]) -> Iterator[str]:
    """One position: a box per stage, all of one height."""
    boxes = [_inside(funnel, stage) for stage in column]
    height = max(len(box) for box in boxes)
    drawn = [_box(stage, box + [""] * (height - len(box))) for stage, box in zip(column, boxes, strict=True)]
    for number, parts in enumerate(zip(*drawn, strict=True)):
        yield (margin if number == 1 else " " * len(margin)) + " ".join(parts)


def _inside(funnel: Funnel, stage: Stage) -> list[str]:
    groups = [group.id for group in funnel.groups.values() if stage.id in group.stages]
    return [
        *textwrap.wrap(f"{'→ ' if stage.entry else ''}{stage.label}", _LABEL),
        stage.id,
        *(["a won deal"] if stage.won else []),
        *(f"in {group}" for group in groups),
    ]


def _box(stage: Stage, lines: Sequence[str]) -> list[str]:
    width = max(_LABEL, cell_len(stage.team) + 1, *(cell_len(line) for line in lines))
    top = f"┌ {stage.team} {'─' * (width - cell_len(stage.team))}┐"
    return [top, *(f"│ {line}{' ' * (width - cell_len(line))} │" for line in lines), f"└{'─' * (width + 2)}┘"]


def _sides(funnel: Funnel) -> Iterator[tuple[str, str, str, str]]:
    for side, label in funnel.sides.items():
        meaning = "a no that beats any stage" if side in funnel.rejections else "who comes back begins a new pass" if side in funnel.reentries else ""
        yield side, label, meaning, "; ".join(_reasons(funnel, side))


def _moves(funnel: Funnel) -> Iterator[tuple[str, str]]:
    for place, following in funnel.moves.items():
        yield place, "-> " + (", ".join(stage for stage in funnel.stages if stage in following) or "nowhere")


def _ways(funnel: Funnel) -> list[Crosswalk]:
    return [crosswalk(funnel, preset(target)) for target in funnel.crosswalks]


def _reasons(funnel: Funnel, side: str) -> list[str]:
    return list(funnel.reasons.get(side, ()))


def _titled(title: str, rows: Sequence[Sequence[str]]) -> list[str]:
    return ["", title, *table(rows)] if rows else []
