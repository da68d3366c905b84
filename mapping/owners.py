"""Owners by e-mail address: who owns a record in one system is looked up in the others by that address.

What cannot be told there says nothing (`Silent`): a queue, somebody who left, or an owner whose address owns nothing elsewhere. It is no edit, it is not put
back, and nobody is asked about it. So where no address is common to two systems and no fallback is given, owners are not carried at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..model.records import Native, Value, Values
from .fields import Silent
from .maps import Reader, Writer
from .text import as_text


@dataclass(frozen=True, slots=True)
class Owners:
    """One native field's owners: id -> address of those who say something, address -> id of those who may be given a record.

    `fallback`: the id of whoever gets the records of an owner that nobody knows there.
    """

    read: Mapping[str, str] = field(default_factory=dict[str, str])
    write: Mapping[str, str] = field(default_factory=dict[str, str])
    fallback: str | None = None


def owner_reader(owners: Owners) -> Reader:
    """A reader of the owner's address. Raises `Silent` for a queue, and for whoever nobody else knows."""
    names = owners.read

    def read(native: Native, _record: Values) -> Value:
        if native is None:
            return None
        try:
            return names[as_text(native)]
        except KeyError:
            raise Silent("is a queue, or nobody whom another system knows") from None

    return read


def owner_writer(owners: Owners) -> Writer:
    """A writer of the owner's id, or of the fallback's. Raises `Silent` where there is neither: nobody loses a record by it."""

    def write(value: Value) -> Native:
        found = None if value is None else owners.write.get(as_text(value), owners.fallback)
        if found is None:
            raise Silent("owns nothing there")
        return found

    return write
