"""Finds people by what somebody types: our number (`p12`), an e-mail address, or a record (`hubspot:1234`, `salesforce:00Q...`).

An address means whoever has it now; where nobody does, whoever had it last in records that are gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ...model.errors import ConfigurationError
from ...model.records import Ref
from ...state import dossier, keys, links, people
from ...state.links import LinkRow
from ...state.store import Tx

KINDS = ("contact", "lead")


@dataclass(frozen=True, slots=True)
class Scope:
    """Whom a run is limited to: people by number, and records that nobody is linked to yet."""

    people: frozenset[int]
    links: frozenset[int] = frozenset()


def find_people(tx: Tx, workspace: int, systems: Mapping[str, int], who: str) -> list[int]:
    """The people that `who` means, in order. `systems`: name -> account number. Raises `ConfigurationError` where there is none."""
    text = who.strip()
    found = numbered(tx, text) or sorted({row.person for row in _records(tx, workspace, systems, text) if row.person is not None})
    if not found:
        raise _nobody(text)
    return found


def find_scope(tx: Tx, workspace: int, systems: Mapping[str, int], whos: Iterable[str]) -> Scope:
    """All that is meant, records that were read but belong to nobody yet included. Raises `ConfigurationError` for a name that nobody has."""
    numbers: set[int] = set()
    fresh: set[int] = set()
    for who in whos:
        text = who.strip()
        rows = _records(tx, workspace, systems, text)
        found = {*numbered(tx, text), *(row.person for row in rows if row.person is not None)}
        if not found and not rows:
            raise _nobody(text)
        numbers |= found
        fresh.update(row.id for row in rows if row.person is None)
    return Scope(frozenset(numbers), frozenset(fresh))


def find_asked(tx: Tx, workspace: int, systems: Mapping[str, int], whos: Iterable[str]) -> Scope:
    """Whose questions are meant: like `find_scope`, but a record that is set aside and named by its id is meant by itself, and not its person."""
    numbers: set[int] = set()
    alone: set[int] = set()
    for who in whos:
        scope = find_scope(tx, workspace, systems, [who])
        aside = set() if "@" in who else {row.id for row in _records(tx, workspace, systems, who.strip()) if row.state == "parked"}
        numbers |= set() if aside else scope.people
        alone |= aside or scope.links
    return Scope(frozenset(numbers), frozenset(alone))


def _nobody(text: str) -> ConfigurationError:
    return ConfigurationError(f"nobody is known as {text!r}", where="WHO", next_step="give an e-mail address, our number (p12), or SYSTEM:ID")


def numbered(tx: Tx, text: str) -> list[int]:
    """The person of that number of ours (`p12`), where it is one."""
    return list(people.by_ids(tx, [int(text[1:])])) if text[:1] in ("p", "P") and text[1:].isdecimal() else []


def _records(tx: Tx, workspace: int, systems: Mapping[str, int], text: str) -> list[LinkRow]:
    system, _, record = text.partition(":")
    if record and system in systems:
        return list(links.by_refs(tx, workspace, systems[system], [Ref(kind, record) for kind in KINDS]).values())
    if "@" in text:
        address = text.lower()
        having = [link for _, link in keys.find(tx, workspace, "email", [address])]
        return list(links.by_ids(tx, having or dossier.holders(tx, workspace, [("email", address)])).values())
    return [row for account in systems.values() for row in links.by_refs(tx, workspace, account, [Ref(kind, text) for kind in KINDS]).values()]
