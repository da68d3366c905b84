"""Whose records can be told of by address: the owners of all systems laid side by side."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from .catalogue import Entry
from .fields import Unmappable
from .maps import DescribedField
from .owners import Owners, word
from .places import Place
from .problems import Problems, closest
from .text import read_email

Spot = tuple[str, str, str]
"""System, kind, canonical field."""
_WORDS = ("text", "email")
"""Native types that hold what an owner is called, and no id."""


def find_owners(entries: Mapping[str, Entry], places: Sequence[Place], problems: Problems) -> tuple[list[Place], dict[Spot, Owners]]:
    """The owners of every owner field, and the places without those that cannot carry any. A place that nobody has described stays as it is."""
    found: dict[Spot, Owners] = {}
    dropped: set[Spot] = set()
    for name, entry in entries.items():
        own = [place for place in places if place.field == name and entry.field.type == "owner"]
        if own and all(place.described is not None for place in own):
            told = _of_field(entry, own, problems)
            found.update(told)
            dropped.update(spot for place in own if (spot := _spot(place)) not in told)
    return [place for place in places if _spot(place) not in dropped], found


def _spot(place: Place) -> Spot:
    return place.system, place.kind, place.field


def _of_field(entry: Entry, places: Sequence[Place], problems: Problems) -> dict[Spot, Owners]:
    name = entry.field.name
    told = {_spot(place) for place in places if place.described is not None and place.described.type in _WORDS}
    listed = [place for place in places if _spot(place) not in told]
    active = {_spot(place): _active(place.described) for place in listed}
    known: dict[str, set[str]] = defaultdict(set)
    for (system, kind, _), owners in active.items():
        known[system].update(owners.values())
        if not owners:
            problems.note(f"{system} {kind} cannot carry {name}: nobody can be seen who owns records there")
    fallbacks = {system: address for system, said in entry.fallback.items() if (address := _fallback(name, system, said, known, problems))}
    takes_all = {system for system, _, _ in told} | set(fallbacks)
    speaking = {
        system: {address for address in addresses if takes_all - {system} or any(other != system and address in known[other] for other in known)}
        for system, addresses in known.items()
    }
    words = {spot: _told(listed, free=bool(takes_all - {spot[0]})) for spot in told}
    if not any(speaking.values()) and not any(each.free for each in words.values()):
        if all(known.values()) and len(known) > 1:
            problems.note(f"{name} is not carried: nobody owns records in two systems under the same e-mail address")
        return {}
    for system, addresses in known.items():
        silent = len(addresses - speaking[system])
        if silent:
            problems.note(f"{name} says nothing for {silent} of {len(addresses)} owners in {system}: nobody active has their address in another system")
    return {**words, **{spot: _owners(each, speaking[spot[0]], fallbacks.get(spot[0])) for spot, each in active.items() if each}}


def _told(listed: Sequence[Place], *, free: bool) -> Owners:
    """The owners as addresses and names tell them; a name that several have tells nobody."""
    called: dict[str, set[str]] = defaultdict(set)
    for place in listed:
        addresses = _active(place.described)
        for option in place.described.options if place.described is not None else ():
            if option.value in addresses:
                called[word(addresses[option.value])].add(addresses[option.value])
                called[word(option.name)].add(addresses[option.value])
    return Owners({text: min(found) for text, found in called.items() if text and len(found) == 1}, told=True, free=free)


def _active(described: DescribedField | None) -> dict[str, str]:
    """Id -> address of those who may be given a record, in the account's order."""
    found: dict[str, str] = {}
    for option in described.options if described is not None else ():
        try:
            address = read_email(option.label, {}) if option.active else None
        except Unmappable:
            continue
        if address is not None:
            found[option.value] = str(address)
    return found


def _owners(active: Mapping[str, str], speaking: set[str], fallback: str | None) -> Owners:
    ids: dict[str, str] = {}
    for id, address in active.items():
        ids.setdefault(address, id)  # an address may belong to several users of an org: the first of them is given the records
    return Owners({id: address for id, address in active.items() if address in speaking}, ids, ids.get(fallback or ""))


def _fallback(name: str, system: str, said: str, known: Mapping[str, set[str]], problems: Problems) -> str | None:
    """The fallback's address, if somebody active has it there."""
    path = f"fields.{name}.fallback.{system}"
    address = said.strip().lower()
    if address in known.get(system, ()):
        return address
    if system in known and not known[system]:
        return None  # the owners there cannot be seen, and a note says so
    problems.add(path, f"nobody active in {system} has the address {said!r}", closest(said, known.get(system, ())))
    return None
