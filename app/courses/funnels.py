"""The funnel that is configured: drawn, and looked at together with the accounts."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...lifecycle.funnel import Funnel
from ...lifecycle.presets import preset
from ..configuration.loading import load
from ..standing import unmapped
from ..terminal import output
from ..terminal.files import expect_folder, write_private
from ..views.funnel import funnel_json, funnel_text, plain
from ..views.funnel_svg import funnel_svg
from ..views.words import count, table
from . import checking, comparing
from .expressing import REASON, Aside, Expression, asides, expressions, homeless, losses, shown, side_losses

_SCREEN = 120
"""Wider tables are broken by most terminals."""


def chosen(name: str | None, config: Path | None) -> Funnel:
    """The preset of this name; without one the funnel of the configuration. Raises `ConfigurationError`."""
    return preset(name) if name is not None else load(config).funnel


def show(funnel: Funnel, svg: Path | None, *, json: bool) -> None:
    """Print it, and draw it into a file if one is named."""
    draw(funnel, svg)
    if json:
        output.say_json(funnel_json(funnel))
    else:
        output.say_all(plain(funnel_text(funnel), sys.stdout.encoding))


def draw(funnel: Funnel, svg: Path | None) -> None:
    """Write the picture. Raises `ConfigurationError` where the folder is not there, `StateError` where it cannot be written to."""
    if svg is None:
        return
    expect_folder(svg, "--svg")
    write_private(svg, funnel_svg(funnel))
    output.tell(f"{svg} is the picture")


@dataclass(frozen=True, slots=True)
class Report:
    """What `funnel check` found. `found`: the systems and what prevents a sync. `said`, `aside`: how stages and side states are written and read.

    `findings`: what the funnel and the accounts disagree on.
    """

    funnel: Funnel
    found: checking.Findings
    said: list[Expression]
    aside: list[Aside]
    findings: list[str]

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        stages = [
            {
                "system": each.system,
                "kind": each.kind,
                "stage": each.stage,
                "written": dict(each.written) if each.written is not None else None,
                "read_as": each.back,
                "evidence": list(each.evidence),
            }
            for each in self.said
        ]
        sides = [
            {
                "system": each.system,
                "kind": each.kind,
                "side": each.side,
                "written": dict(each.written) if each.written is not None else None,
                "read_as": each.back,
                "hides_stage": each.alone,
                "reason_kept": each.reason == REASON,
            }
            for each in self.aside
        ]
        told = {"ok": not self.found.problems, "systems": self.found.systems, "problems": self.found.problems, "findings": self.findings}
        return {**told, "stages": stages, "sides": sides, "funnel": funnel_json(self.funnel)}

    def lines(self) -> Iterator[str]:
        """For people: the picture, the table of stages by kind of record, and the findings."""
        yield from funnel_text(self.funnel)
        kinds = list(dict.fromkeys((each.system, each.kind) for each in self.said))
        if kinds:
            cells = {(each.system, each.kind, each.stage): _cell(each) for each in self.said}
            cells |= {(each.system, each.kind, each.side): _cell(each) for each in self.aside}
            yield from _side_by_side(kinds, [*self.funnel.stages, *self.funnel.sides], cells)
        for title, listed in (("problem", self.found.problems), ("finding", self.findings)):
            if listed:
                yield from ("", f"{count(len(listed), title)}:", *(f"  - {each}".replace("\n", "\n    ") for each in listed))
        yield ""
        yield "a sync cannot run before this is mended" if self.found.problems else "the funnel can be used"


def check(config_file: Path | None) -> Report:
    """Hold the configured funnel against the accounts as they are now. Raises `ConfigurationError` for mistakes that keep from looking at them."""
    config, found = checking.begin(config_file)
    seen = checking.look(config, found)
    if len(seen) < len(config.systems):
        return Report(config.funnel, found, [], [], [])
    maps = checking.mapped(config, seen, found)
    said, aside = expressions(config.funnel, maps), asides(config.funnel, maps)
    accounts = {name: description for name, (_, description) in seen.items()}
    findings = [
        *homeless(config.funnel, said),
        *losses(config.funnel, said),
        *side_losses(aside),
        *comparing.stage_order(maps, accounts, config.funnel),
        *unmapped.told(found.unmapped, maps, config.funnel, accounts),
        *comparing.unmapped_stages(maps, accounts),
    ]
    return Report(config.funnel, found, said, aside, findings)


def _side_by_side(kinds: Sequence[tuple[str, str]], places: Sequence[str], cells: Mapping[tuple[str, str, str], str]) -> Iterator[str]:
    """All kinds of record in one table where that is no wider than a screen, else one below the other."""
    whole = table([("", *map(" ".join, kinds)), *((place, *(cells[*kind, place] for kind in kinds)) for place in places)])
    if len(kinds) > 1 and max(map(len, whole)) > _SCREEN:
        for kind in kinds:
            yield from _side_by_side([kind], places, cells)
    else:
        yield from ("", *whole)


def _cell(each: Expression | Aside) -> str:
    """What is written, and what that is read as where it is something else; `read:` before what is only evidence."""
    if not each.written:
        evidence = each.evidence if isinstance(each, Expression) else ()
        return f"read: {' or '.join(evidence)}" if evidence else "-"
    return shown(each.written) if each.exact else f"{shown(each.written)} (reads as {each.back or 'nothing'})"
