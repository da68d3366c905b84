"""Which events stand in a record's own fields: the connector's defaults as far as the account has them, and `[[systems.NAME.signals.KIND]]`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast
from zoneinfo import ZoneInfo

from ..model.records import Native
from .maps import DescribedField, DescribedKind
from .numbers import read_boolean, read_number
from .places import System
from .problems import Problems, closest
from .signals import Attribute, SignalMap
from .times import moment_ms

SIGNAL_KIND = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)
"""What a kind of signal may be called: a word that a rule can name."""
_WORDS = ("kind", "at", "needs", "attributes")
_TIMES = frozenset({"date", "datetime", "other"})
_READERS: Mapping[str, Attribute] = {"number": read_number, "boolean": read_boolean}
"""HubSpot carries both as text; a rule compares numbers."""


def find_signals(system: System, zone: ZoneInfo, problems: Problems) -> Mapping[str, tuple[SignalMap, ...]]:
    """Kind -> the signals of its records: the connector's defaults as far as the account has them, then the user's own, which must be there."""
    path = f"systems.{system.name}.signals"
    own = problems.table(path, system.given.overrides.get("signals", {}))
    for kind in own:
        if kind not in system.kinds:
            problems.add(f"{path}.{kind}", f"{system.name} has no kind {kind!r}", closest(kind, system.kinds))
    found: dict[str, tuple[SignalMap, ...]] = {}
    for kind in system.kinds:
        described, defaults = system.described(kind), system.defaults.kinds.get(kind)
        standard = [made for row in (defaults.signals if defaults else ()) if (made := _default(row, described, zone)) is not None]
        rows = problems.rows(f"{path}.{kind}", own[kind]) if kind in own else ()
        mine = [made for number, row in enumerate(rows) if (made := _own(row, f"{path}.{kind}[{number}]", system, kind, zone, problems)) is not None]
        found[kind] = (*standard, *mine)
    return found


def _default(row: Mapping[str, Any], described: DescribedKind | None, zone: ZoneInfo) -> SignalMap | None:
    fields = described.fields if described is not None else None
    needs, attributes = tuple(row.get("needs", ())), dict(row.get("attributes", {}))
    if fields is not None:
        if not {row["at"], *needs} <= fields.keys():
            return None
        attributes = {name: native for name, native in attributes.items() if native in fields}
    return _made(row["kind"], row["at"], needs, attributes, fields, zone)


def _own(row: Mapping[str, Any], path: str, system: System, kind: str, zone: ZoneInfo, problems: Problems) -> SignalMap | None:
    before = len(problems.found)
    for word in row:
        if word not in _WORDS:
            problems.add(f"{path}.{word}", "is not part of a signal", closest(word, _WORDS))
    name = _text(row, "kind", path, problems)
    if name and not SIGNAL_KIND.fullmatch(name):
        problems.add(f"{path}.kind", f"{name!r} is no name for a kind of signal", "Use up to 40 small letters, digits and _")
    at, needs = _text(row, "at", path, problems), tuple(problems.words(f"{path}.needs", row.get("needs", [])))
    said = problems.table(f"{path}.attributes", row.get("attributes", {}))
    attributes = {str(each): text for each, native in said.items() if (text := problems.text(f"{path}.attributes.{each}", native)) is not None}
    described = system.described(kind)
    fields = described.fields if described is not None else None
    if fields is not None:
        named = [(f"{path}.at", at), *((f"{path}.needs", native) for native in needs), *((f"{path}.attributes.{each}", v) for each, v in attributes.items())]
        for where, native in named:
            if native and native not in fields:
                problems.add(where, f"{system.name} {kind} has no field {native!r}", closest(native, fields))
        if at in fields and fields[at].type not in _TIMES:
            problems.add(f"{path}.at", f"{at} is a {fields[at].type} field, which holds no time", "Name the field with the time of the event")
    return None if len(problems.found) > before else _made(name, at, needs, attributes, fields, zone)


def _text(row: Mapping[str, Any], word: str, path: str, problems: Problems) -> str:
    if word not in row:
        problems.add(f"{path}.{word}", "is missing", f'Write {word} = "..."')
        return ""
    return problems.text(f"{path}.{word}", row[word]) or ""


def _made(kind: str, at: str, needs: tuple[str, ...], attributes: Mapping[str, str], fields: Mapping[str, DescribedField] | None, zone: ZoneInfo) -> SignalMap:
    readers: dict[str, Attribute] = {}
    for native in attributes.values() if fields is not None else ():
        reader = _READERS.get(cast("Mapping[str, DescribedField]", fields)[native].type)
        if reader is not None:
            readers[native] = reader

    def moment(native: Native) -> int | None:
        return moment_ms(native, zone)

    return SignalMap(kind, at, needs, attributes, moment, readers)
