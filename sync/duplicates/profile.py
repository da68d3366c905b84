"""What looking for duplicates needs of a record, in one form for all systems, and the blocks it is looked for in. Pure.

Only records that share a block are compared: an address, what stands before the @, a phone number, a company with one of the names, or how company and
names begin. A name alone is none: nobody is proposed for it, and thousands share one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...mapping.maps import KindMap, read_all
from ...model.records import Ref, Values
from ...model.spelling import firm, folded
from ..deciding.match import ROLES

_PHONES = ("phone", "mobile_phone")
_TELLING = 5
"""What stands before the @ tells somebody apart from this length on: `ann@` does not."""
_DIGITS = 8


@dataclass(frozen=True, slots=True)
class Profile:
    """One record. Blank is None. `addresses` and `phones` are normalised, the names as they are written."""

    ref: Ref
    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None
    addresses: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The whole name as it is written; empty where there is none."""
        return " ".join(part for part in (self.first_name, self.last_name) if part)


def profile_of(kind: KindMap, ref: Ref, values: Values) -> Profile:
    """The profile of one record, read by its maps. What is not mapped, or cannot be read, is blank."""
    read, _ = read_all(kind, values)

    def text(name: str) -> str | None:
        value = read.get(name)
        return None if value is None else str(value)

    phones = dict.fromkeys(number for name in _PHONES if (number := text(name)) is not None)
    addresses = tuple(value for key, value in kind.keys(values) if key == "email")
    return Profile(ref, text("first_name"), text("last_name"), text("company"), addresses, tuple(phones))


def mailbox(address: str) -> str | None:
    """What stands before the @, without a tag (`anna+news` is `anna`); None where it belongs to a role or is too short to tell anybody apart.

    Only to look for candidates: nothing is ever matched by it.
    """
    local = address.partition("@")[0].partition("+")[0]
    return local if len(local) >= _TELLING and local not in ROLES else None


def line(number: str) -> str:
    """By what a phone number is compared: its last digits, so that one written without its country goes with one that has it. An extension is part of it."""
    return "".join(char for char in number if char.isdecimal())[-_DIGITS:] or number


@dataclass(frozen=True, slots=True)
class Marks:
    """A profile as it is compared: names folded, numbers by their last digits."""

    ref: Ref
    first: str
    last: str
    company: str
    addresses: frozenset[str]
    mailboxes: frozenset[str]
    lines: frozenset[str]

    @classmethod
    def of(cls, profile: Profile) -> Marks:
        """Worked out once for each record."""
        return cls(
            profile.ref,
            folded(profile.first_name),
            folded(profile.last_name),
            firm(profile.company),
            frozenset(profile.addresses),
            frozenset(local for address in profile.addresses if (local := mailbox(address)) is not None),
            frozenset(line(number) for number in profile.phones),
        )

    def blocks(self) -> Iterator[str]:
        """The blocks of the record, each once, named by its sort and its value (`phone:30123456`)."""
        yield from (f"address:{address}" for address in self.addresses)
        yield from (f"mailbox:{local}" for local in self.mailboxes)
        yield from (f"phone:{number}" for number in self.lines)
        if self.company:
            yield from {f"company:{self.company}|{part}" for part in (self.first, self.last) if part}
        if self.first and self.last and self.company:
            yield f"beginnings:{self.company[:3]}|{self.first[:2]}|{self.last[:2]}"
