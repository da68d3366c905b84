"""The canonical fields: the shipped catalogue with the user's `[fields.*]` laid over it."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

from .companies import check_company
from .defaults import NativeName, native_name
from .fields import COMPANY, FIELD_TYPES, GROUPS, TWO_WAY, Field, FieldType, Policy, parse_policy
from .fills import WORDS as FILL_WORDS
from .fills import filled
from .problems import Problems, closest
from .vocabulary import Vocabulary

_WORDS = frozenset({"type", "group", "policy", "clears", "sticky", "enabled", "translate", "fallback", *FILL_WORDS})


@dataclass(frozen=True, slots=True)
class Entry:
    """A canonical field with what the user said about it.

    `places`: system -> kind -> native name, None for "not mapped there"; the kind `*` means every kind of the system.
    `translate`: system -> canonical choice -> native values. `own`: the user wrote something about it.
    `fallback`: system -> address of whoever gets there what nobody known owns (owners only).
    """

    field: Field
    places: Mapping[str, Mapping[str, NativeName | None]]
    translate: Mapping[str, Mapping[str, Sequence[str]]]
    own: bool
    fallback: Mapping[str, str]


@cache
def shipped() -> Mapping[str, Mapping[str, Any]]:
    """The catalogue that comes with the program."""
    return tomllib.loads(Path(__file__).with_name("catalogue.toml").read_text("utf-8"))["fields"]


def lay_over(own: Mapping[str, Any], systems: Collection[str], words: Vocabulary, problems: Problems) -> Mapping[str, Entry]:
    """The catalogue with the user's changes, in the catalogue's order, own fields behind."""
    entries: dict[str, Entry] = {}
    for system in sorted(set(systems) & _WORDS):
        problems.add(f"systems.{system}", "the name has a meaning inside [fields.*]", "Give the system another name")
    for name in [*shipped(), *(name for name in own if name not in shipped())]:
        said = own.get(name, {})
        if not isinstance(said, Mapping):
            problems.add(f"fields.{name}", "is not a table", f'Write [fields.{name}] and below it type = "text" and the native names')
            continue
        said = cast("Mapping[str, Any]", said)
        if said.get("enabled", True) is False:
            continue
        entries[name] = _entry(name, said, systems, words, problems)
    return entries


def _entry(name: str, said: Mapping[str, Any], systems: Collection[str], words: Vocabulary, problems: Problems) -> Entry:
    path = f"fields.{name}"
    spec = {**shipped().get(name, {}), **said}
    for word in said:
        if word not in _WORDS and word not in systems:
            problems.add(f"{path}.{word}", "is neither a setting of a field nor a system", closest(word, [*_WORDS, *systems]))
    places = {system: _places(f"{path}.{system}", said[system], problems) for system in systems if system in said}
    group = spec.get("group", "other")
    if group not in GROUPS:
        problems.add(f"{path}.group", f"{group!r} is not a group", f"Allowed: {', '.join(GROUPS)}")
        group = "other"
    if any(word in said for word in FILL_WORDS):
        return Entry(filled(path, name, group, said, words, problems), places, {}, own=True, fallback={})
    kind = spec.get("type", "text")
    if kind not in FIELD_TYPES:
        problems.add(f"{path}.type", f"{kind!r} is not a type of field", f"Allowed: {', '.join(FIELD_TYPES)}")
        kind = "text"
    if check_company(path, name, kind, said, problems):
        return Entry(Field(name, "company", group, COMPANY), places, {}, own=bool(said), fallback={})
    sticky = _flag(path, "sticky", spec, False, problems)
    if sticky and kind != "boolean":
        problems.add(f"{path}.sticky", f"only a boolean can be sticky, not {kind}", "Remove it")
    clears = _flag(path, "clears", spec, kind != "owner", problems)
    if clears and kind == "owner":
        problems.add(f"{path}.clears", "a record always has an owner somewhere, so emptying it cannot travel", "Remove it")
    field = Field(name, cast("FieldType", kind), group, _policy(path, spec, systems, problems), clears, sticky)
    fallback = _fallbacks(f"{path}.fallback", spec.get("fallback", {}), kind, systems, problems)
    return Entry(field, places, _translations(path, spec.get("translate", {}), systems, problems), own=bool(said), fallback=fallback)


def _flag(path: str, word: str, spec: Mapping[str, Any], default: bool, problems: Problems) -> bool:
    value = spec.get(word, default)
    if not isinstance(value, bool):
        problems.add(f"{path}.{word}", f"{value!r} is neither true nor false", "Write true or false, without quotes")
        return default
    return value


def _policy(path: str, spec: Mapping[str, Any], systems: Collection[str], problems: Problems) -> Policy:
    try:
        policy = parse_policy(str(spec.get("policy", TWO_WAY)))
    except ValueError as error:
        problems.add(f"{path}.policy", str(error), 'For example policy = "two-way"')
        return TWO_WAY
    if policy.system is not None and policy.system not in systems:
        problems.add(f"{path}.policy", f"there is no system {policy.system!r}", closest(policy.system, systems))
        return TWO_WAY
    return policy


def _places(path: str, said: object, problems: Problems) -> Mapping[str, NativeName | None]:
    """`"Phone"`, `false`, `{ field = ... }`, or one of these by kind."""
    if said is False or isinstance(said, str):
        return {"*": None if said is False else native_name(said, path)}
    if isinstance(said, Mapping):
        table = cast("Mapping[str, Any]", said)
        if "field" in table:
            return {"*": native_name(table, path)}
        found: dict[str, NativeName | None] = {}
        for kind, spec in table.items():
            if spec is False:
                found[kind] = None
            elif isinstance(spec, str) or (isinstance(spec, Mapping) and "field" in spec):
                found[kind] = native_name(cast("str | Mapping[str, Any]", spec), f"{path}.{kind}")
            else:
                problems.add(f"{path}.{kind}", "is not a native name", 'Write a name in quotes, false, or { field = "...", write = false }')
        return found
    problems.add(path, "is not a native name", 'Write a name in quotes, false, or a table by kind, such as { lead = "Phone", contact = "Phone" }')
    return {}


def _translations(path: str, said: object, systems: Collection[str], problems: Problems) -> Mapping[str, Mapping[str, Sequence[str]]]:
    found: dict[str, Mapping[str, Sequence[str]]] = {}
    for system, table in problems.table(f"{path}.translate", said).items():
        if system not in systems:
            problems.add(f"{path}.translate.{system}", f"there is no system {system!r}", closest(system, systems))
            continue
        where = f"{path}.translate.{system}"
        listed = {canonical: problems.words(f"{where}.{canonical}", natives) for canonical, natives in problems.table(where, table).items()}
        found[system] = {canonical: natives for canonical, natives in listed.items() if natives}
    return found


def _fallbacks(path: str, said: object, kind: str, systems: Collection[str], problems: Problems) -> Mapping[str, str]:
    """System -> address."""
    found: dict[str, str] = {}
    for system, address in problems.table(path, said).items():
        if kind != "owner":
            problems.add(path, f"only an owner has a fallback, not a {kind}", "For a field that a create must have, use [systems.NAME.create] fallback")
            break
        if system not in systems:
            problems.add(f"{path}.{system}", f"there is no system {system!r}", closest(system, systems))
        elif (text := problems.text(f"{path}.{system}", address)) is not None:
            found[system] = text
    return found
