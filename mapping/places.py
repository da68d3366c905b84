"""Where each canonical field lives: the user's words over the connector's defaults, checked against the account."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from .catalogue import Entry
from .defaults import Defaults, NativeName
from .maps import DescribedField, DescribedKind, SystemInput
from .normalise import NATIVE_TYPES
from .problems import Problems, closest


@dataclass(frozen=True, slots=True)
class System:
    """One system with its parsed defaults."""

    name: str
    given: SystemInput
    defaults: Defaults

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds that can be mapped: of the defaults those that the account has, as far as it was asked."""
        if self.given.description is None:
            return tuple(self.defaults.kinds)
        there = self.given.description.kinds
        return tuple(kind for kind in self.defaults.kinds if kind in there) or tuple(there)

    def described(self, kind: str) -> DescribedKind | None:
        """The kind as the account has it; None where nobody asked the account."""
        return None if self.given.description is None else self.given.description.kinds.get(kind)


class Place(NamedTuple):
    """One canonical field in one kind of one system, as it was found fit."""

    system: str
    kind: str
    field: str
    name: NativeName
    described: DescribedField | None


def find_places(entries: Mapping[str, Entry], systems: Sequence[System], problems: Problems) -> list[Place]:
    """All places, in the order of the catalogue. What the user wrote and the account does not have is a mistake; a default becomes a note."""
    places = [place for entry in entries.values() for system in systems for place in _of_system(entry, system, problems)]
    return _without_twins(places, problems)


def _of_system(entry: Entry, system: System, problems: Problems) -> Iterator[Place]:
    if entry.field.type == "company" and "companies" not in system.given.overrides:
        return
    said = entry.places.get(system.name, {})
    for kind in said:
        if kind != "*" and kind not in system.kinds:
            problems.add(f"fields.{entry.field.name}.{system.name}.{kind}", f"{system.name} has no kind {kind!r}", closest(kind, system.kinds))
    found = False
    everywhere = said.get("*")
    for kind in system.kinds:
        described = system.described(kind)
        name = said[kind] if kind in said else said.get("*", _default(system, kind, entry.field.name, described))
        if name is None:
            continue
        if described is not None and name.native not in described.fields:
            if name is not everywhere and name.path is not None:
                problems.add(name.path, f"{system.name} {kind} has no field {name.native!r}", closest(name.native, described.fields))
            elif name.path is None:
                problems.note(f"{system.name} {kind} cannot carry {entry.field.name}: {name.native} is hidden or not there")
            continue
        place = Place(system.name, kind, entry.field.name, name, described.fields[name.native] if described is not None else None)
        found = True
        if _fits(entry, place, problems):
            yield place
    if everywhere is not None and not found:
        known = {native for kind in system.kinds if (described := system.described(kind)) is not None for native in described.fields}
        problems.add(everywhere.path or "", f"{system.name} has no field {everywhere.native!r}", closest(everywhere.native, known))


def _default(system: System, kind: str, field: str, described: DescribedKind | None) -> NativeName | None:
    """Where the defaults put the field: the first place that the account has, or else the first of all."""
    names = system.defaults.kinds[kind].fields.get(field, ()) if kind in system.defaults.kinds else ()
    there = [name for name in names if described is None or name.native in described.fields]
    return next(iter((*there, *names)), None)


def _fits(entry: Entry, place: Place, problems: Problems) -> bool:
    """The native field's type can hold the canonical type."""
    allowed = NATIVE_TYPES[entry.field.type]
    if place.described is None or place.described.type in allowed or place.described.type == "other":
        return True
    what = f"{place.system} {place.kind} {place.name.native} is a {place.described.type} field, which does not hold a {entry.field.type}"
    if place.name.path is not None:
        problems.add(place.name.path, what, f"Choose another native field, or another type for [fields.{entry.field.name}]")
    else:
        problems.note(f"{place.system} {place.kind} cannot carry {entry.field.name}: {place.name.native} is a {place.described.type} field there")
    return False


def _without_twins(places: Sequence[Place], problems: Problems) -> list[Place]:
    """One native field carries one canonical field: the user's own mapping displaces a default, two of the user's are a mistake."""
    owner: dict[tuple[str, str, str], Place] = {}
    dropped: set[tuple[str, str, str]] = set()
    for place in places:
        key = (place.system, place.kind, place.name.native)
        other = owner.get(key)
        if other is None:
            owner[key] = place
            continue
        if place.name.path is None and other.name.path is None:
            raise ValueError(f"the default maps of {place.system} map {place.name.native} twice")
        winner, loser = (place, other) if other.name.path is None else (other, place)
        if loser.name.path is not None or winner.name.path is None:
            problems.add(
                str(place.name.path or winner.name.path),
                f"{place.system} {place.kind} {place.name.native} is already mapped to {other.field}",
                f"Map each native field once, or set fields.{other.field}.enabled = false",
            )
        else:
            problems.note(f"{place.system} {place.kind} {place.name.native} carries {winner.field}, as configured, and no longer {loser.field}")
        owner[key] = winner
        dropped.add((loser.system, loser.kind, loser.field))
    return [place for place in places if (place.system, place.kind, place.field) not in dropped]
