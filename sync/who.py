"""Finds people by what somebody types: our number (`p12`), an e-mail address, or a record (`hubspot:1234`, `salesforce:00Q...`)."""

from __future__ import annotations

from collections.abc import Mapping

from ..model.errors import ConfigurationError
from ..model.records import Ref
from ..state import keys, links, people
from ..state.store import Tx

KINDS = ("contact", "lead")


def find_people(tx: Tx, workspace: int, systems: Mapping[str, int], who: str) -> list[int]:
    """The people that `who` means, in order. `systems`: name -> account number. Raises `ConfigurationError` where there is none."""
    text = who.strip()
    found = _find(tx, workspace, systems, text)
    if not found:
        raise ConfigurationError(f"nobody is known as {text!r}", where="WHO", next_step="give an e-mail address, our number (p12), or SYSTEM:ID")
    return found


def _find(tx: Tx, workspace: int, systems: Mapping[str, int], text: str) -> list[int]:
    if text[:1] in "pP" and text[1:].isdigit():
        return list(people.by_ids(tx, [int(text[1:])]))
    system, _, record = text.partition(":")
    if record and system in systems:
        rows = links.by_refs(tx, workspace, systems[system], [Ref(kind, record) for kind in KINDS])
    elif "@" in text:
        rows = {row.address: row for row in links.by_ids(tx, [link for _, link in keys.find(tx, workspace, "email", [text.lower()])]).values()}
    else:
        rows = links.by_refs(tx, workspace, 0, [])
        for account in systems.values():
            rows |= links.by_refs(tx, workspace, account, [Ref(kind, text) for kind in KINDS])
    return sorted({row.person for row in rows.values() if row.person is not None})
