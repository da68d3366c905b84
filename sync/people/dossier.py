"""All that is known about one person, gathered from wherever it lies: for whoever asks what is kept of them, or wants it erased."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...mapping.keys import key_value
from ...model.errors import ConfigurationError
from ...model.records import Ref
from ...state import dossier, links, people
from ...state.actions import ActionRow
from ...state.links import LinkRow
from ...state.people import PersonRow
from ...state.signals import SignalRow
from ...state.store import Tx
from .who import KINDS, numbered

EMAIL = "email"


@dataclass(frozen=True, slots=True)
class Dossier:
    """One person's file. `row` None: records that were read, and that nobody has been made of. `records`: all of theirs, gone ones too.

    `keys`: what they are recognised by. `also`: other people who have one of these keys too.
    """

    row: PersonRow | None
    records: tuple[LinkRow, ...]
    keys: tuple[tuple[str, str], ...]
    actions: tuple[ActionRow, ...]
    signals: tuple[SignalRow, ...]
    also: tuple[int, ...] = ()

    @property
    def persons(self) -> list[int]:
        """Their number, in a list; empty where nobody was made of the records."""
        return [] if self.row is None else [self.row.id]

    @property
    def addresses(self) -> list[str]:
        """Their e-mail addresses, normalised."""
        return [value for key, value in self.keys if key == EMAIL]


def find_dossier(tx: Tx, ws: int, systems: Mapping[str, int], who: str) -> Dossier:
    """The file of whoever is meant: an e-mail address, our number (p12), or SYSTEM:ID. `systems`: name -> account number.

    Raises `ConfigurationError` where nobody is, or several people are.
    """
    text = who.strip()
    found = _records(tx, ws, systems, text)
    numbers = {row.person for row in found if row.person is not None} | set(numbered(tx, text))
    known = people.by_ids(tx, numbers)
    if len(known) > 1:
        several = ", ".join(f"p{number}" for number in sorted(known))
        raise ConfigurationError(f"this means several people: {several}", where="WHO", next_step="name one of them by number")
    if not known and not found:
        raise ConfigurationError("nobody is known by that name", where="WHO", next_step="give an e-mail address, our number (p12), or SYSTEM:ID")
    return gather(tx, ws, next(iter(known.values()), None), found)


def gather(tx: Tx, ws: int, row: PersonRow | None, found: list[LinkRow] | None = None) -> Dossier:
    """The file of a person, or of records that nobody was made of; records with their keys that are nobody's belong to it."""
    persons = [] if row is None else [row.id]
    records = {link.id: link for link in [*(found or ()), *(link for theirs in links.of_people(tx, persons).values() for link in theirs)]}
    keys = [*dossier.keys_of(tx, records), *_canonical(row)]
    shared = links.by_ids(tx, dossier.holders(tx, ws, keys))
    records |= {link.id: link for link in shared.values() if link.person is None}
    keys = list(dict.fromkeys([*keys, *dossier.keys_of(tx, records)]))
    also = sorted({link.person for link in shared.values() if link.person is not None} - set(persons))
    mine = [link for _, link in sorted(records.items()) if link.person is None or link.person in persons]
    numbers = [link.id for link in mine]
    return Dossier(
        row,
        tuple(mine),
        tuple(keys),
        tuple(dossier.actions_of(tx, ws, persons, numbers)),
        tuple(dossier.signals_of(tx, ws, persons, numbers, keys)),
        tuple(also),
    )


def _canonical(row: PersonRow | None) -> list[tuple[str, str]]:
    """The address that the hub has of them: no record need have it yet."""
    entry: list[Any] = (row.canonical.get(EMAIL) if row is not None else None) or [None]
    value = key_value(EMAIL, str(entry[0])) if entry[0] is not None else None
    return [] if value is None else [(EMAIL, value)]


def _records(tx: Tx, ws: int, systems: Mapping[str, int], text: str) -> list[LinkRow]:
    system, _, record = text.partition(":")
    if record and system in systems:
        return list(links.by_refs(tx, ws, systems[system], [Ref(kind, record) for kind in KINDS]).values())
    address = key_value(EMAIL, text)
    if address is not None:
        return list(links.by_ids(tx, dossier.holders(tx, ws, [(EMAIL, address)])).values())
    return []
