"""Small pictures for the page on a workspace's health: a bar of parts, a gauge, and the last runs side by side.

Each is an SVG element without text of its own, so that it can be stretched to any width: numbers stand beside it in the page, and a title and a
description say it aloud. Colours are classes, which the page's style knows for light, dark and paper.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _TALL, _RUNS_TALL, _FOOT = 600, 22, 64, 8
_GAP, _LEAST = 2.0, 5.0


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a bar: what it is called, its number, and the class of its colour."""

    name: str
    number: int
    colour: str


@dataclass(frozen=True, slots=True)
class Column:
    """One run. `writes`: how many; `colour`: how it ended; `told`: the run in words."""

    writes: int
    colour: str
    told: str


def bar(id: str, title: str, parts: Sequence[Part]) -> str:
    """The parts of a whole beside each other. Whatever is there is seen, however few."""
    shown = [part for part in parts if part.number]
    whole = sum(part.number for part in shown)
    room = _WIDTH - _GAP * max(len(shown) - 1, 0) - _LEAST * len(shown)
    body, x = [], 0.0
    for part in shown:
        width = _LEAST + room * part.number / whole
        body.append(f'<rect class="{part.colour}" x="{x:.1f}" y="0" width="{width:.1f}" height="{_TALL}"/>')
        x += width + _GAP
    told = ", ".join(f"{part.name} {part.number:,}" for part in parts) or "nothing"
    return _drawing(id, "bar", title, told, _TALL, body or [f'<rect class="track" width="{_WIDTH}" height="{_TALL}"/>'])


def gauge(id: str, title: str, share: float, bound: float | None, colour: str, told: str) -> str:
    """How much of a whole; `bound`: the share at which a mark stands."""
    width = max(_LEAST, _WIDTH * min(share, 1.0)) if share else 0.0
    mark = [] if bound is None else [f'<rect class="mark" x="{_WIDTH * bound - 2:.1f}" y="0" width="4" height="{_TALL}"/>']
    body = [
        f'<rect class="track" y="4" width="{_WIDTH}" height="{_TALL - 8}"/>',
        f'<rect class="{colour}" y="4" width="{width:.1f}" height="{_TALL - 8}"/>',
        *mark,
    ]
    return _drawing(id, "gauge", title, told, _TALL, body)


def columns(id: str, title: str, runs: Sequence[Column], places: int) -> str:
    """Runs from the oldest to the newest, at the right, each as high as its writes; a mark at the foot says how it ended."""
    most = max([1, *(run.writes for run in runs)])
    step = _WIDTH / places
    body = [f'<rect class="track" y="{_RUNS_TALL}" width="{_WIDTH}" height="1"/>']
    for number, run in enumerate(runs, places - len(runs)):
        tall = max(2.0, (_RUNS_TALL - 2) * run.writes / most) if run.writes else 0.0
        x, width = number * step + 1, step - 2
        body.append(
            f'<g><title>{escape(run.told)}</title><rect class="due" x="{x:.1f}" y="{_RUNS_TALL - tall:.1f}" width="{width:.1f}" height="{tall:.1f}"/>'
            f'<rect class="{run.colour}" x="{x:.1f}" y="{_RUNS_TALL + 3}" width="{width:.1f}" height="{_FOOT - 3}"/></g>'
        )
    told = f"{len(runs)} runs; at most {most if any(run.writes for run in runs) else 0:,} writes in one; the last: {runs[-1].told}" if runs else "no run yet"
    return _drawing(id, "runs", title, told, _RUNS_TALL + _FOOT, body)


def _drawing(id: str, kind: str, title: str, told: str, tall: int, body: Sequence[str]) -> str:
    head = f'<svg class="{kind}" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {tall}" preserveAspectRatio="none" role="img"'
    named = f'<title id="{id}-t">{escape(title)}</title><desc id="{id}-d">{escape(told)}</desc>'
    return f'{head} aria-labelledby="{id}-t {id}-d">{named}{"".join(body)}</svg>'
