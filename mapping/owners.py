"""Owners by e-mail address: who owns a record in one system is looked up in the others by that address.

What cannot be told there says nothing (`Silent`): a queue, somebody who left, or an owner whose address owns nothing elsewhere. It is no edit, it is not put
back, and nobody is asked about it. So where no address is common to two systems and no fallback is given, owners are not carried at all.

A system that has no users, a file, holds the address itself in a field of text, or the name of somebody whom another system knows. It takes every address.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from ..model.records import Native, Value, Values
from ..model.spelling import folded
from .fields import Silent, Unmappable
from .maps import Reader, Writer
from .text import as_text, read_email


@dataclass(frozen=True, slots=True)
class Owners:
    """One native field's owners: id -> address of those who say something, address -> id of those who may be given a record.

    `fallback`: the id of whoever gets the records of an owner that nobody knows there. `told`: the field holds addresses and names, not ids; then `read` has
    those words (see `word`), and `free` says that an address that nobody knows has somewhere to go all the same.
    """

    read: Mapping[str, str] = field(default_factory=dict[str, str])
    write: Mapping[str, str] = field(default_factory=dict[str, str])
    fallback: str | None = None
    told: bool = False
    free: bool = False


def word(text: str) -> str:
    """By what an owner is looked up who is told by an address or a name."""
    return text.strip().lower() if "@" in text else folded(text)


def owner_reader(owners: Owners) -> Reader:
    """A reader of the owner's address. Raises `Silent` for a queue, and for whoever nobody else knows."""
    names = owners.read
    if owners.told:
        return partial(_read_told, owners)

    def read(native: Native, _record: Values) -> Value:
        if native is None:
            return None
        try:
            return names[as_text(native)]
        except KeyError:
            raise Silent("is a queue, or nobody whom another system knows") from None

    return read


def _read_told(owners: Owners, native: Native, record: Values) -> Value:
    """The address in a field, or that of whom it names. Raises `Silent` for everybody else, and for a name that several have."""
    text = "" if native is None else as_text(native)
    if not text.strip():
        return None
    found = owners.read.get(word(text))
    if found is None and owners.free and "@" in text:
        try:
            return read_email(native, record)
        except Unmappable:
            pass
    if found is None:
        raise Silent("is nobody whom another system knows")
    return found


def owner_writer(owners: Owners) -> Writer:
    """A writer of the owner's id, or of the fallback's. Raises `Silent` where there is neither: nobody loses a record by it."""

    def write(value: Value) -> Native:
        found = None if value is None else as_text(value) if owners.told else owners.write.get(as_text(value), owners.fallback)
        if found is None:
            raise Silent("owns nothing there")
        return found

    return write
