"""From a table to a funnel, or everything that is wrong with it, each mistake with its TOML path and a remedy. Pure.

name = "acme"
title = "One sentence"                      # may be left out
line = [["lead"], ["mql", "pql"], ["customer"]]  # the positions; stages of one list stand beside each other

[stages]
lead = { label = "Lead", team = "marketing" }
pql = { label = "Product qualified lead", team = "product", entry = true }  # entry: people come in here without passing what is before
customer = { label = "Customer", team = "sales", won = true }  # won: whoever is here has bought, which beats any stage that is not won

[groups]                                    # stages that go by one name
qualified = { label = "Qualified", stages = ["mql", "pql"] }

[sides]                                     # places beside the line
disqualified = { label = "Disqualified", rejection = true, reasons = ["No budget"] }  # rejection: a no that beats any stage
recycled = { label = "Recycled", reentry = true }                                     # reentry: coming back is a new pass

[moves]                                     # stage or side state -> the stages that may follow; where nothing stands: any that is further on
lead = ["mql"]

[crosswalk.hubspot]                         # what the stages are called in another funnel
lead = "lead"
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from . import moves
from .funnel import Crosswalk, Funnel, Group, Stage

Tell: TypeAlias = Callable[[str, str, str], None]
"""Takes one mistake: its TOML path, what is wrong, and the remedy."""

KEYS = ("name", "title", "line", "stages", "groups", "sides", "moves", "crosswalk")
_STAGE_KEYS, _GROUP_KEYS, _SIDE_KEYS = ("label", "team", "entry", "won"), ("label", "stages"), ("label", "rejection", "reentry", "reasons")
_ID = re.compile(r"[A-Za-z][\w-]*")


def parse(table: Mapping[str, Any], tell: Tell) -> Funnel | None:
    """The funnel that the table describes; None where it is too wrong to be one. Every mistake is told; with one told, the funnel is not to be used."""
    return _Reader(table, tell).funnel()


@dataclass(frozen=True, slots=True)
class _Reader:
    """One walk over a table."""

    table: Mapping[str, Any]
    tell: Tell

    def funnel(self) -> Funnel | None:
        for key in self.table:
            if key not in KEYS:
                self.tell(f"funnel.{key}", "there is no such key", known(("preset", *KEYS)))
        places = self.line()
        stages = self.stages(places)
        sides = self.tables("sides", _SIDE_KEYS)
        groups = self.groups(list(stages))
        self.ids(stages, sides, groups)
        made = Funnel(
            name=self.text("funnel.name", self.table.get("name"), "own"),
            title=self.text("funnel.title", self.table.get("title", ""), ""),
            stages=stages,
            sides={name: self.text(f"funnel.sides.{name}.label", spec.get("label"), name) for name, spec in sides.items()},
            rejections=frozenset(name for name, spec in sides.items() if self.flag(f"funnel.sides.{name}.rejection", spec.get("rejection", False))),
            reentries=frozenset(name for name, spec in sides.items() if self.flag(f"funnel.sides.{name}.reentry", spec.get("reentry", False))),
            reasons={name: self.words(f"funnel.sides.{name}.reasons", spec["reasons"]) for name, spec in sides.items() if "reasons" in spec},
            groups=groups,
            moves=self.moves(stages, sides),
            crosswalks=self.crosswalks(stages),
        )
        self.ways(made)
        return made if stages else None

    def line(self) -> dict[str, int]:
        """Stage -> position."""
        said = self.table.get("line")
        if not isinstance(said, list) or not said:
            self.tell("funnel.line", "is not a list of positions", 'Write line = [["lead"], ["mql", "pql"], ["sql"]]')
            return {}
        places: dict[str, int] = {}
        for position, beside in enumerate(cast("list[object]", said)):
            names = self.words(f"funnel.line[{position}]", beside)
            if not names and beside == []:
                self.tell(f"funnel.line[{position}]", "is a position without a stage", "Name one, or drop it")
            for name in names:
                if name in places:
                    self.tell(f"funnel.line[{position}]", f"{name!r} stands in the line already", "Keep it in one place")
                places.setdefault(name, position)
        return places

    def stages(self, places: Mapping[str, int]) -> dict[str, Stage]:
        specs, said = self.tables("stages", _STAGE_KEYS), self.table.get("stages", {})
        for name in places:
            if isinstance(said, Mapping) and name not in said:  # what is there in the wrong shape is told already
                self.tell("funnel.line", f"{name!r} is not a stage of the funnel", f"Write [funnel.stages.{name}] with label and team. {known(specs)}")
        for name in specs:
            if name not in places and places:
                self.tell(f"funnel.stages.{name}", "has no position", 'Name it in funnel.line, or write beside = "..." or after = "..."')
        found: dict[str, Stage] = {}
        for name, position in places.items():
            spec, path = specs.get(name, {}), f"funnel.stages.{name}"
            if name in specs:
                label, team = self.text(f"{path}.label", spec.get("label"), name), self.text(f"{path}.team", spec.get("team"), "")
                entry, won = (self.flag(f"{path}.{key}", spec.get(key, False)) for key in ("entry", "won"))
                found[name] = Stage(name, label, team, position, entry, won)
        return found

    def groups(self, line: list[str]) -> dict[str, Group]:
        found: dict[str, Group] = {}
        for name, spec in self.tables("groups", _GROUP_KEYS).items():
            path = f"funnel.groups.{name}"
            members = self.these(f"{path}.stages", spec.get("stages", []), line)
            if spec.get("stages", []) == []:
                self.tell(f"{path}.stages", "names no stage", known(line))
            found[name] = Group(name, self.text(f"{path}.label", spec.get("label"), name), tuple(sorted(members, key=line.index)))
        return found

    def ids(self, *by: Mapping[str, object]) -> None:
        """One name is one thing, whatever its case: stage values of the vendors are compared without it."""
        taken: dict[str, str] = {}
        for section, names in zip(("stages", "sides", "groups"), by, strict=True):
            for name in names:
                path = f"funnel.{section}.{name}"
                if not _ID.fullmatch(name):
                    self.tell(path, "is no name", "Use letters, digits, - and _, and begin with a letter")
                other = taken.setdefault(name.casefold(), path)
                if other != path:
                    self.tell(path, f"has the name of {other}", "Give it another one")

    def moves(self, stages: Mapping[str, Stage], sides: Mapping[str, object]) -> dict[str, frozenset[str]]:
        found: dict[str, frozenset[str]] = {}
        for name, following in self.section("moves").items():
            path = f"funnel.moves.{name}"
            if name not in stages and name not in sides:
                self.tell(path, f"{name!r} is neither a stage nor a side state of the funnel", known([*stages, *sides]))
            found[name] = frozenset(self.these(path, following, stages))
        return found

    def ways(self, funnel: Funnel) -> None:
        """Whether the allowed moves make sense together; looked at only where every one of them makes sense by itself."""
        if any(name not in funnel.stages and name not in funnel.sides for name in funnel.moves):
            return
        for stage in moves.unreachable(funnel):
            self.tell("funnel.moves", f"no move leads to {stage!r}", f"Add it to the moves of another stage, or write entry = true in [funnel.stages.{stage}]")
        for way in moves.rounds(funnel):
            remedy = "Leave one step out: whoever comes again comes from a side state, and corrections backward need no move"
            self.tell(f"funnel.moves.{way[0]}", f"{' -> '.join(way)} goes round without a side state", remedy)

    def crosswalks(self, stages: Mapping[str, Stage]) -> dict[str, Crosswalk]:
        name = str(self.table.get("name"))
        found: dict[str, Crosswalk] = {}
        for target, said in self.section("crosswalk").items():
            path = f"funnel.crosswalk.{target}"
            if not isinstance(said, Mapping):
                self.tell(path, "is not a table", f'Write [{path}] and below it stage = "stage there"')
                continue
            table = cast("Mapping[str, object]", said)
            for stage in table:
                if stage not in stages:
                    self.tell(f"{path}.{stage}", f"{stage!r} is not a stage of the funnel", known(stages))
            found[target] = Crosswalk(name, target, {stage: self.text(f"{path}.{stage}", other, "") for stage, other in table.items()})
        return found

    def section(self, key: str) -> Mapping[str, Any]:
        said = self.table.get(key, {})
        if isinstance(said, Mapping):
            return cast("Mapping[str, Any]", said)
        self.tell(f"funnel.{key}", "is not a table", f"Write [funnel.{key}] and one line per name below it")
        return {}

    def tables(self, key: str, keys: Collection[str]) -> dict[str, Mapping[str, Any]]:
        """A table of tables, each with known keys only."""
        found: dict[str, Mapping[str, Any]] = {}
        for name, said in self.section(key).items():
            if not isinstance(said, Mapping):
                self.tell(f"funnel.{key}.{name}", "is not a table", f"Write [funnel.{key}.{name}] with {', '.join(keys)}")
                continue
            found[name] = cast("Mapping[str, Any]", said)
            for word in found[name]:
                if word not in keys:
                    self.tell(f"funnel.{key}.{name}.{word}", "there is no such key", known(keys))
        return found

    def text(self, path: str, said: object, default: str) -> str:
        if isinstance(said, str) and (said.strip() or said == default == "") and said.isprintable():
            return said
        what = "is missing" if said is None else "must be text on one line"
        self.tell(path, what, f'For example {path.rpartition(".")[2]} = "..."')
        return default

    def flag(self, path: str, said: object) -> bool:
        if not isinstance(said, bool):
            self.tell(path, f"{said!r} is neither true nor false", "Write true or false, without quotes")
        return said is True

    def words(self, path: str, said: object) -> tuple[str, ...]:
        if isinstance(said, list) and all(isinstance(each, str) and each for each in cast("list[object]", said)):
            return tuple(cast("list[str]", said))
        self.tell(path, "is not a list of names", 'Write them in quotes and brackets, such as ["mql", "pql"]')
        return ()

    def these(self, path: str, said: object, stages: Collection[str]) -> list[str]:
        """The stages that are named, without those that the funnel has not."""
        names = dict.fromkeys(self.words(path, said))
        for name in names:
            if name not in stages:
                self.tell(path, f"{name!r} is not a stage of the funnel", known(stages))
        return [name for name in names if name in stages]


def known(names: Iterable[str]) -> str:
    """A remedy that lists what may stand there."""
    return f"Known: {', '.join(names)}"
