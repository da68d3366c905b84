"""Stage values that nobody mapped: how many records have each, as the state knows, and the line of the configuration that would map it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ...connectors.contract import SystemDescription
from ...lifecycle.funnel import Funnel
from ...mapping.maps import Maps
from ...mapping.stages import Words, word
from ...state import accounts, links
from ...state.store import Tx

Descriptions = Mapping[str, SystemDescription]


class Unmapped(NamedTuple):
    """A value of a stage field that means nothing to the funnel, and how many records have it."""

    system: str
    kind: str
    native: str
    value: str
    records: int

    @property
    def path(self) -> str:
        """The table of the configuration in which it would be mapped."""
        return f"systems.{self.system}.stages.{self.kind}.values.{self.native}"

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {**self._asdict(), "path": self.path}


def unmapped_values(tx: Tx, workspace: int) -> list[Unmapped]:
    """All that the runs met so far, most records first."""
    names = {account: system for system, account in accounts.bound(tx, workspace).items()}
    found = [
        Unmapped(names[account], kind, pair.partition("=")[0], pair.partition("=")[2], records)
        for (account, kind, pair), records in links.unmapped(tx, workspace).items()
        if account in names
    ]
    return sorted(found, key=lambda each: (-each.records, each))


def told(found: list[Unmapped], maps: Maps, funnel: Funnel, seen: Descriptions) -> Iterator[str]:
    """A sentence about each value that these maps do not map either, with the line that would."""
    for each in found:
        table = maps.systems.get(each.system)
        kind = table.kinds.get(each.kind) if table is not None else None
        if kind is None or kind.stage is None or kind.stage.unmapped({each.native: each.value}) is None:
            continue
        words = next(words for words in kind.stage.words if words.native == each.native)
        options = {option.value: option.label for option in _options(each, seen)}
        label = options.get(each.value, each.value)
        shown = each.value if label == each.value else f"{each.value} ({label})"
        people = "record says" if each.records == 1 else "records say"
        yield (
            f"{each.system} {each.kind}: {each.records:,} {people} {each.native}={shown}, which nobody mapped; they keep their stage\n"
            f"under [{each.path}] write for example\n{_line(each, label, words, funnel, list(options))}"
        )


def _options(each: Unmapped, seen: Descriptions) -> Iterator[Any]:
    described = seen[each.system].kinds.get(each.kind) if each.system in seen else None
    if described is not None and each.native in described.fields:
        yield from described.fields[each.native].options


def _line(each: Unmapped, label: str, words: Words, funnel: Funnel, options: list[str]) -> str:
    """`mql = ["MQL", "Foo"]`: a line of one's own replaces the default one, so it repeats what means the stage already, the value that is written first."""
    meaning = _nearest(label, funnel)
    written = words.writes.get(meaning)
    already = [value for value in options if words.reads.get(word(value)) == meaning and value != written]
    values = [*([] if written is None else [written]), *already, each.value]
    return f"{meaning} = {json.dumps(values, ensure_ascii=False)}"


def _nearest(label: str, funnel: Funnel) -> str:
    """The stage or side state whose name is most like the value's; the first stage where none is."""
    from rapidfuzz import fuzz, process, utils

    names = {stage.id: stage.label for stage in funnel.stages.values()} | dict(funnel.sides)
    found = process.extractOne(label, names, scorer=fuzz.WRatio, processor=utils.default_process, score_cutoff=60)
    return next(iter(funnel.stages)) if found is None else str(found[2])
