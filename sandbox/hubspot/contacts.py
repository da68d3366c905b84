"""The contacts of a portal: ids, stamps, indexes, history, the bin, and the index lag of search."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from .instants import instant, instant_ms

FIRST_ID = 20_001
ID_STEP = 50


class Author(NamedTuple):
    """Who made a version: HubSpot's `sourceType`, `sourceId` and, for a person in the screens, the user's id."""

    source_type: str
    source_id: str
    user_id: int | None = None


CALCULATED = Author("CALCULATED", "")
Values = Mapping[str, str]


class Version(NamedTuple):
    """One value that a property had from `at_ms` on ("" = cleared)."""

    value: str
    at_ms: int
    author: Author


class Contact:
    """One contact. `props` holds what is filled, in stored form; `history` only the properties that changed after the first version."""

    __slots__ = ("archived_ms", "born", "created_ms", "history", "id", "merged", "number", "props", "updated_ms")

    def __init__(self, number: int, props: dict[str, str], created_ms: int, updated_ms: int, born: Author) -> None:
        self.number = number
        self.id = str(number)
        self.props = props
        self.created_ms = created_ms
        self.updated_ms = updated_ms
        self.archived_ms: int | None = None
        self.born = born
        self.history: dict[str, list[Version]] | None = None
        self.merged: tuple[tuple[int, int], ...] = ()
        """(old id, when) of every record that went into this one."""

    def snapshot(self) -> Contact:
        """This contact as it is now, for an index that lags behind."""
        copy = Contact(self.number, dict(self.props), self.created_ms, self.updated_ms, self.born)
        copy.history, copy.merged = self.history, self.merged
        return copy

    def first_version(self, name: str) -> Version | None:
        """The version that needs no list: set when the contact came to be (a stage: when it was entered, if that is known)."""
        value = self.props.get(name)
        if value is None:
            return None
        entered = self.props.get(f"hs_v2_date_entered_{value}") if name == "lifecyclestage" else None
        return Version(value, instant_ms(entered) if entered else self.created_ms, self.born)

    def versions(self, name: str) -> list[Version]:
        """The versions of a property, oldest first."""
        if self.history is not None and name in self.history:
            return self.history[name]
        first = self.first_version(name)
        return [first] if first is not None else []

    def addresses(self) -> list[str]:
        """The e-mail addresses, the primary one first."""
        found = [self.props["email"]] if "email" in self.props else []
        return found + [each for each in self.props.get("hs_additional_emails", "").split(";") if each]


class Store:
    """All contacts of one portal. `change` is the only way in which a live contact's values change."""

    def __init__(self, versions_kept: int = 20) -> None:
        self.live: dict[int, Contact] = {}
        self.bin: dict[int, Contact] = {}
        self.order: list[int] = []
        """Ids ascending; may hold ids that are no longer live."""
        self.stamps: list[tuple[int, int]] = []
        """(last-modified ms, id) ascending; an entry counts only while the contact still has that stamp."""
        self.by_email: dict[str, int] = {}
        self.by_unique: dict[str, dict[str, int]] = {}
        self.moved: dict[int, int] = {}
        self.changed: list[int] = []
        """Every id whose place in the search index may have changed, in order of time: results that are kept catch up by it."""
        self.lagging: dict[int, deque[tuple[int, Contact | None]]] = {}
        self.versions_kept = versions_kept
        self.witness: Callable[[int, str, Version], None] = lambda number, name, version: None
        """Hears of each value that somebody changes in a contact; what HubSpot calculates goes unheard."""
        self._lag_order: deque[tuple[int, int]] = deque()
        self._next = FIRST_ID

    # ---- finding

    def resolve(self, number: int) -> int:
        """The id under which a record lives today: merged records forward to the one they went into."""
        while number in self.moved:
            number = self.moved[number]
        return number

    def find(self, number: int) -> Contact | None:
        """The live contact of an id, merges followed."""
        return self.live.get(self.resolve(number))

    def find_unique(self, name: str, value: str) -> Contact | None:
        """The live contact whose property with unique values has this one."""
        number = self.by_unique.get(name, {}).get(value.lower())
        return None if number is None else self.live.get(number)

    def find_email(self, address: str) -> Contact | None:
        """The live contact with this address, primary or secondary."""
        number = self.by_email.get(address.strip().lower())
        return None if number is None else self.live.get(number)

    def page(self, start: int, limit: int) -> tuple[list[Contact], int | None]:
        """Up to `limit` live contacts with ids from `start` on, and the id that the next page begins with."""
        found: list[Contact] = []
        live, order = self.live, self.order
        for index in range(bisect_left(order, start), len(order)):
            contact = live.get(order[index])
            if contact is None:
                continue
            if len(found) == limit:
                return found, contact.number
            found.append(contact)
        return found, None

    def bin_page(self, start: int, limit: int) -> tuple[list[Contact], int | None]:
        """The same over the archived contacts."""
        numbers = sorted(number for number in self.bin if number >= start)
        following = numbers[limit] if len(numbers) > limit else None
        return [self.bin[number] for number in numbers[:limit]], following

    def stamped(self, low: int, high: int) -> Iterator[Contact]:
        """Live contacts whose last-modified stamp lies in low..high (ms, both included), oldest first."""
        live, stamps = self.live, self.stamps
        for index in range(bisect_left(stamps, (low, 0)), bisect_left(stamps, (high + 1, 0))):
            stamp, number = stamps[index]
            contact = live.get(number)
            if contact is not None and contact.updated_ms == stamp:
                yield contact

    # ---- writing

    def take_number(self) -> int:
        """The next free id; ids have gaps, as HubSpot's do."""
        number = self._next
        self._next += ID_STEP
        return number

    def reserve(self, number: int) -> None:
        """Take a certain id. Raises ValueError when it was taken before."""
        if number in self.live or number in self.bin or number in self.moved:
            raise ValueError(f"there is a contact {number} already")
        self._next = max(self._next, number + ID_STEP)

    def add(self, contact: Contact, *, lag: bool) -> None:
        """Put in a new contact; with `lag` the search index does not know it yet."""
        if lag:
            self._keep_back(contact.number, contact.updated_ms, None)
        self._enter(contact)

    def bulk(self, contacts: Sequence[Contact]) -> None:
        """Put in many contacts with ids of their own at once; faster than one by one, and known to search at once."""
        live, order, by_email, stamps = self.live, self.order, self.by_email, self.stamps
        added: list[int] = []
        for contact in contacts:
            number = contact.number
            live[number] = contact
            added.append(number)
            stamps.append((contact.updated_ms, number))
            email = contact.props.get("email")
            if email is not None:
                by_email.setdefault(email, number)
            if "hs_additional_emails" in contact.props:
                self._index_addresses(contact)
            for name, index in self.by_unique.items():
                if name in contact.props:
                    index[contact.props[name].lower()] = number
        order.extend(added)
        order.sort()
        stamps.sort()
        self.changed.extend(added)

    def change(self, contact: Contact, values: Values, at_ms: int, author: Author, calculated: Values, *, lag: bool, touch: bool = True) -> None:
        """Set stored values ("" clears) at a moment, with their history, and what HubSpot calculates from them.

        The stamp moves even when nothing changes, unless `touch` is off; with `lag` the search index keeps the old state for a while.
        """
        if lag:
            self._keep_back(contact.number, at_ms, contact.snapshot())
        before = contact.addresses()
        for name in self._set(contact, values, at_ms, author):
            self.witness(contact.number, name, Version(values[name], at_ms, author))
        self._set(contact, calculated, at_ms, CALCULATED)
        if contact.addresses() != before:
            self._drop_addresses(contact.number, before)
            self._index_addresses(contact)
        if touch and contact.updated_ms != at_ms:
            contact.updated_ms = at_ms
            self._stamp(at_ms, contact.number)
        self.changed.append(contact.number)

    def retire(self, contact: Contact) -> None:
        """Take a contact out of everything: it was archived, merged or purged."""
        self.live.pop(contact.number, None)
        self.lagging.pop(contact.number, None)
        self._drop_addresses(contact.number, contact.addresses())
        for name, index in self.by_unique.items():
            value = contact.props.get(name)
            if value is not None and index.get(value.lower()) == contact.number:
                del index[value.lower()]
        self.changed.append(contact.number)
        if len(self.order) > 1000 and len(self.order) > 2 * len(self.live):
            self.order = sorted(self.live)

    def archive(self, contact: Contact, at_ms: int) -> None:
        """To the bin; the last-modified stamp stays."""
        self.retire(contact)
        contact.archived_ms = at_ms
        self.bin[contact.number] = contact

    def restore(self, number: int) -> Contact:
        """Back from the bin. Raises KeyError when it is not there, ValueError when its address was taken meanwhile."""
        contact = self.bin[number]
        taken = [each for each in contact.addresses() if each in self.by_email]
        if taken:
            raise ValueError(f"{taken[0]} belongs to another contact now")
        del self.bin[number]
        contact.archived_ms = None
        self._enter(contact)
        return contact

    def watch_unique(self, name: str) -> None:
        """Start an index over a property with unique values."""
        index = self.by_unique.setdefault(name, {})
        for contact in self.live.values():
            if name in contact.props:
                index[contact.props[name].lower()] = contact.number

    # ---- the index lag of search

    def settle_index(self, now_ms: int, lag_ms: int) -> None:
        """Let the search index catch up with every write that is older than the lag."""
        while self._lag_order and self._lag_order[0][0] + lag_ms <= now_ms:
            written, number = self._lag_order.popleft()
            waiting = self.lagging.get(number)
            if waiting is None:
                continue
            while waiting and waiting[0][0] <= written:
                waiting.popleft()
            if not waiting:
                del self.lagging[number]
            self.changed.append(number)

    def indexed(self, contact: Contact) -> Contact | None:
        """The contact as the search index knows it; None = not yet."""
        waiting = self.lagging.get(contact.number)
        return waiting[0][1] if waiting else contact

    # ---- inside

    def _set(self, contact: Contact, values: Values, at_ms: int, author: Author) -> list[str]:
        """The names of those that are new."""
        props = contact.props
        different = [name for name, value in values.items() if props.get(name, "") != value]
        for name in different:
            value = values[name]
            self._remember(contact, name, Version(value, at_ms, author))
            if name in self.by_unique:
                self._move_unique(name, props.get(name), value, contact.number)
            if value:
                props[name] = value
            else:
                del props[name]
        return different

    def _keep_back(self, number: int, at_ms: int, known: Contact | None) -> None:
        self.lagging.setdefault(number, deque()).append((at_ms, known))
        self._lag_order.append((at_ms, number))

    def _enter(self, contact: Contact) -> None:
        number = contact.number
        self.live[number] = contact
        if not self.order or number > self.order[-1]:
            self.order.append(number)
        else:
            at = bisect_left(self.order, number)
            if at == len(self.order) or self.order[at] != number:
                self.order.insert(at, number)
        self._next = max(self._next, number + ID_STEP)
        self._index_addresses(contact)
        for name in self.by_unique:
            if name in contact.props:
                self._move_unique(name, None, contact.props[name], number)
        self._stamp(contact.updated_ms, number)
        self.changed.append(number)

    def _stamp(self, at_ms: int, number: int) -> None:
        entry = (at_ms, number)
        if not self.stamps or entry > self.stamps[-1]:
            self.stamps.append(entry)
        else:
            insort(self.stamps, entry)
        if len(self.stamps) > 4 * len(self.live) + 10_000:
            self.stamps = sorted((contact.updated_ms, contact.number) for contact in self.live.values())

    def _remember(self, contact: Contact, name: str, version: Version) -> None:
        if contact.history is None:
            contact.history = {}
        kept = contact.history.get(name)
        if kept is None:
            kept = contact.versions(name)
            contact.history[name] = kept
        kept.append(version)
        if len(kept) > self.versions_kept:
            del kept[: len(kept) - self.versions_kept]

    def _move_unique(self, name: str, old: str | None, new: str, number: int) -> None:
        index = self.by_unique[name]
        if old is not None and index.get(old.lower()) == number:
            del index[old.lower()]
        if new:
            index[new.lower()] = number

    def _drop_addresses(self, number: int, addresses: Iterable[str]) -> None:
        for address in addresses:
            if self.by_email.get(address) == number:
                del self.by_email[address]

    def _index_addresses(self, contact: Contact) -> None:
        for address in contact.addresses():
            self.by_email.setdefault(address, contact.number)


def history_json(versions: Iterable[Version]) -> list[dict[str, object]]:
    """Versions as the API shows them, the newest first."""
    shown: list[dict[str, object]] = []
    for version in versions:
        entry: dict[str, object] = {"value": version.value, "timestamp": instant(version.at_ms), "sourceType": version.author.source_type}
        if version.author.source_id:
            entry["sourceId"] = version.author.source_id
        if version.author.user_id is not None:
            entry["updatedByUserId"] = version.author.user_id
        shown.append(entry)
    shown.reverse()
    return shown
