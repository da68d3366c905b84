"""A funnel as a picture: positions from left to right, parallel stages below each other, side states at the foot."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from rich.cells import cell_len

from ...lifecycle.funnel import Funnel, Stage

_CARD_WIDTH, _CARD_HEIGHT, _ACROSS, _BELOW, _EDGE = 176, 92, 44, 20, 28
_HEAD, _SIDE_HEIGHT = 84, 78
_COLOURS = ("#2563a8", "#2b7a4b", "#8a4fa3", "#b4661c", "#1f7f86", "#a33a4f", "#6b6f1d", "#4d5a75")
_SIGNS, _ID_SIGNS = 18, 24
"""So many letters of a label, and of an id, fit on a card, in wide fonts too."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a card's upper left corner is."""

    x: float
    y: float


def funnel_svg(funnel: Funnel) -> str:
    """The picture as an SVG document: needs no font, script or file besides."""
    columns = funnel.columns
    tallest = max(len(column) for column in columns)
    field = tallest * (_CARD_HEIGHT + _BELOW) - _BELOW
    sides = len(funnel.sides)
    per_row = max(1, len(columns))
    rows = -(-sides // per_row)
    width = max(720, 2 * _EDGE + len(columns) * (_CARD_WIDTH + _ACROSS) - _ACROSS)
    foot = _HEAD + field + 56
    height = foot + rows * (_SIDE_HEIGHT + 14) + _EDGE if sides else _HEAD + field + _EDGE
    places = _places(columns, field)
    colours = {team: _COLOURS[number % len(_COLOURS)] for number, team in enumerate(dict.fromkeys(stage.team for stage in funnel.stages.values()))}
    body = [
        *_title(funnel, colours),
        *_arrows(funnel, columns, places),
        *(part for stage in funnel.stages.values() for part in _card(funnel, stage, places[stage.id], colours[stage.team])),
        *_foot(funnel, foot, per_row),
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img"'
            f' font-family="Helvetica, Arial, DejaVu Sans, sans-serif" fill="#1d2430">',
            f"<title>{escape(funnel.name)}</title>",
            '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
            '<path d="M0 0 L8 4 L0 8 z" fill="#8b95a5"/></marker></defs>',
            '<rect width="100%" height="100%" fill="#ffffff"/>',
            *body,
            "</svg>\n",
        ]
    )


def _places(columns: Sequence[Sequence[Stage]], field: float) -> dict[str, _Place]:
    """Each column stands in the middle of the height."""
    found: dict[str, _Place] = {}
    for number, column in enumerate(columns):
        top = _HEAD + (field - (len(column) * (_CARD_HEIGHT + _BELOW) - _BELOW)) / 2
        for row, stage in enumerate(column):
            found[stage.id] = _Place(_EDGE + number * (_CARD_WIDTH + _ACROSS), top + row * (_CARD_HEIGHT + _BELOW))
    return found


def _title(funnel: Funnel, colours: dict[str, str]) -> Iterator[str]:
    yield _text(_EDGE, 32, funnel.name, 18, "bold")
    yield _text(_EDGE + 11 * len(funnel.name) + 16, 32, funnel.title, 13, colour="#56607a")
    x = float(_EDGE)
    for team, colour in colours.items():
        yield f'<rect x="{x:g}" y="47" width="12" height="12" rx="3" fill="{colour}"/>'
        yield _text(x + 18, 57, team, 12)
        x += 42 + 7 * len(team)


def _arrows(funnel: Funnel, columns: Sequence[Sequence[Stage]], places: dict[str, _Place]) -> Iterator[str]:
    """From each position to the next, where somebody may go so."""
    for here, there in pairwise(columns):
        for one in here:
            for other in there:
                if one.id not in funnel.moves or other.id in funnel.moves[one.id]:
                    start, end = places[one.id], places[other.id]
                    x1, y1, x2, y2 = start.x + _CARD_WIDTH + 2, start.y + _CARD_HEIGHT / 2, end.x - 4, end.y + _CARD_HEIGHT / 2
                    bend = (x1 + x2) / 2
                    way = f"M{x1:g} {y1:g} C{bend:g} {y1:g} {bend:g} {y2:g} {x2:g} {y2:g}"
                    yield f'<path d="{way}" fill="none" stroke="#8b95a5" stroke-width="1.5" marker-end="url(#tip)"/>'


def _card(funnel: Funnel, stage: Stage, at: _Place, colour: str) -> Iterator[str]:
    yield f'<rect x="{at.x:g}" y="{at.y:g}" width="{_CARD_WIDTH}" height="{_CARD_HEIGHT}" rx="8" fill="#f6f8fb" stroke="{colour}" stroke-width="1.5"/>'
    yield f'<rect x="{at.x:g}" y="{at.y + 8:g}" width="6" height="{_CARD_HEIGHT - 16}" fill="{colour}"/>'
    for number, line in enumerate(_wrapped(stage.label, 2)):
        yield _text(at.x + 16, at.y + 24 + 17 * number, line, 13, "bold")
    yield _text(at.x + 16, at.y + _CARD_HEIGHT - 28, _short(stage.id, _ID_SIGNS), 10, colour="#56607a", font="monospace")
    marks = [*(["entry"] if stage.entry else []), *(["a won deal"] if stage.won else [])]
    chips = [*marks, *(f"in {group.id}" for group in funnel.groups.values() if stage.id in group.stages)]
    if chips:
        yield _text(at.x + 16, at.y + _CARD_HEIGHT - 11, _short(" · ".join(chips), _ID_SIGNS), 11, colour=colour)


def _foot(funnel: Funnel, top: float, per_row: int) -> Iterator[str]:
    if funnel.sides:
        yield _text(_EDGE, top - 14, "Beside the line", 13, "bold", colour="#56607a")
    for number, (side, label) in enumerate(funnel.sides.items()):
        x, y = _EDGE + number % per_row * (_CARD_WIDTH + _ACROSS), top + number // per_row * (_SIDE_HEIGHT + 14)
        meaning = "a no, beats any stage" if side in funnel.rejections else "back in a new pass" if side in funnel.reentries else ""
        yield (
            f'<rect x="{x:g}" y="{y:g}" width="{_CARD_WIDTH}" height="{_SIDE_HEIGHT}" rx="8" fill="none" stroke="#8b95a5" stroke-width="1.2"'
            ' stroke-dasharray="5 4"/>'
        )
        yield _text(x + 14, y + 23, _short(label, _SIGNS), 13)
        yield _text(x + 14, y + 41, _short(side, _ID_SIGNS), 10, colour="#56607a", font="monospace")
        if meaning:
            yield _text(x + 14, y + 60, meaning, 11, colour="#a33a4f" if side in funnel.rejections else "#2b7a4b")


def _text(x: float, y: float, said: str, size: int, weight: str = "normal", *, colour: str = "#1d2430", font: str = "") -> str:
    family = f' font-family="{font}"' if font else ""
    return f'<text x="{x:g}" y="{y:g}" font-size="{size}" font-weight="{weight}" fill="{colour}"{family}>{escape(said)}</text>'


def _wrapped(label: str, lines: int) -> list[str]:
    """The label in lines; signs of double width count twice."""
    signs = max(2, _SIGNS * len(label) // max(1, cell_len(label)))
    found = textwrap.wrap(label, signs) or [""]
    return found if len(found) <= lines else [*found[: lines - 1], _short(" ".join(found[lines - 1 :]), signs)]


def _short(said: str, signs: int) -> str:
    return said if len(said) <= signs else said[: signs - 1] + "…"
