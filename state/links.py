"""Links: one row per record ever seen, and the person to whom it belongs.

States: `new` (to be matched) · `linked` · `parked` (held from matching) · `moved` (lives on under another ref) · `gone` · `excluded`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import starmap
from typing import Any, NamedTuple

from sqlalchemy import bindparam, func, select, update

from ..model.records import Native, Ref
from . import ids
from .schema import link, word
from .sql import Bulk, Statement, among, decode, encode
from .store import Store, Tx

MATCHED = ("new", "linked", "parked")
"""The states in which a record may be somebody's, or become it."""
LIVE = (*MATCHED, "excluded")
"""The states of a record that is there."""


class LinkRow(NamedTuple):
    """One record. `ref` is the vendor's id, `stamp` the revision last read (ms).

    `seen`: native values as last read. `agreed`: only those whose last agreed value differs from `seen`.
    `carried`: canonical field, or `stage` -> the version that the record last carried; missing = never met.
    """

    id: int
    account: int
    kind: str
    ref: str
    person: int | None
    state: str
    stamp: int
    seen: dict[str, Native]
    agreed: dict[str, Native]
    carried: dict[str, int]
    claim: dict[str, Any] | None
    author: str | None

    @property
    def unmatched(self) -> LinkRow:
        """The record as nobody's, to be matched as if it were met for the first time."""
        return self._replace(state="new", person=None, carried={}, agreed={})

    @property
    def address(self) -> Ref:
        """The record's address inside its system."""
        return Ref(self.kind, self.ref)


class Observed(NamedTuple):
    """What a newer reading changes of a link."""

    id: int
    stamp: int
    seen: dict[str, Native]
    agreed: dict[str, Native]
    author: str | None
    state: str


class Remembered(NamedTuple):
    """What an agreement changes of a link."""

    id: int
    person: int | None
    state: str
    carried: dict[str, int]
    agreed: dict[str, Native]
    claim: dict[str, Any] | None


class Place(NamedTuple):
    """Where a record stands, without what it says."""

    id: int
    person: int | None
    state: str


class Counts(NamedTuple):
    """Records of one account: `live` are there (new, linked, parked, excluded), `linked` have their person."""

    live: int
    linked: int


_c = link.c
_COLUMNS = ("id", "workspace", "account", "kind", "ref", "person", "state", "stamp", "seen", "agreed", "carried", "claim", "author")
_ROW = tuple(_c[name] for name in LinkRow._fields)
_WORKSPACE = _c.workspace == bindparam("ws")
_PAGE = (_c.id > bindparam("after"),)
_LIVE = tuple(map(word, LIVE))
_NOTES_PAGE = 10_000

_INSERT = Bulk(link, _COLUMNS)
_OBSERVED = Bulk(link, ("state", "stamp", "seen", "agreed", "author"), ("id",))
_REMEMBER = Bulk(link, ("person", "state", "agreed", "carried", "claim"), ("id",))
_REWRITE = Bulk(link, _COLUMNS[3:], ("id",))  # a record may get another ref, never another account
_BY_REFS = Statement(select(*_ROW).where(_WORKSPACE, _c.account == bindparam("account"), _c.kind == bindparam("kind"), among(_c.ref, "refs")))
_BY_IDS = Statement(select(*_ROW).where(among(_c.id, "ids")).order_by(_c.id))
_OF_PEOPLE = Statement(select(*_ROW).where(_c.person.is_not(None), among(_c.person, "ids")).order_by(_c.id))
_IN_ACCOUNT = Statement(select(*_ROW).where(_c.person.is_not(None), among(_c.person, "ids"), _c.account + 0 == bindparam("account")).order_by(_c.person, _c.id))
_MEET_AGAIN = Statement(update(link).where(among(_c.id, "links"), _WORKSPACE, _c.state == word("parked"), _c.person.is_(None)).values(state="new"))
_UNMATCHED = Statement(select(*_ROW).where(_WORKSPACE, _c.state == word("new"), *_PAGE).order_by(_c.id).limit(bindparam("limit")))
_ALONG = (_c.workspace + 0 == bindparam("ws"), _c.account + 0 == bindparam("account"))
"""Along the ids: SQLite would take the account's index, and sort all of its records for each page."""
_EACH = Statement(select(*_ROW).where(*_ALONG, *_PAGE).order_by(_c.id).limit(bindparam("limit")))
_PLACES = Statement(select(*(_c[name] for name in Place._fields)).where(*_ALONG, *_PAGE).order_by(_c.id).limit(bindparam("limit")))
_THERE = Statement(
    select(_c.person).where(_c.person.is_not(None), among(_c.person, "ids"), _c.account == bindparam("account"), _c.state.in_((word("linked"), word("new"))))
)
_STANDINGS = Statement(select(_c.id, _c.person, _c.state, _c.stamp).where(among(_c.id, "ids")))
_LAST = Statement(select(func.max(_c.id)))
_AFTER = Statement(select(_c.id).where(_ALONG[0], *_PAGE))
_NOTED = Statement(select(*_ROW).where(_WORKSPACE, _c.claim.is_not(None), *_PAGE).order_by(_c.id).limit(bindparam("limit")))
_NOTES = Statement(
    select(_c.id, _c.account, _c.kind, _c.claim).where(_WORKSPACE, _c.claim.is_not(None), _c.state.in_(_LIVE), *_PAGE).order_by(_c.id).limit(bindparam("limit"))
)
_PARKED = Statement(
    select(_c.id, _c.account, _c.kind, _c.ref, _c.person, _c.claim)
    .where(_WORKSPACE, _c.claim.is_not(None), _c.claim.like('%"parked":%'), _c.state.in_(_LIVE), *_PAGE)
    .order_by(_c.id)
    .limit(bindparam("limit"))
)
_COUNTS = Statement(select(_c.account, _c.state, func.count()).where(_WORKSPACE).group_by(_c.account, _c.state))


def _row(
    id_: int,
    account: int,
    kind: str,
    ref: str,
    person: int | None,
    state: str,
    stamp: int,
    seen: str,
    agreed: str,
    carried: str,
    claim: str | None,
    author: str | None,
) -> LinkRow:
    return LinkRow(
        id_, account, kind, ref, person, state, stamp, decode(seen), decode(agreed), decode(carried), None if claim is None else decode(claim), author
    )


def _claim(claim: dict[str, Any] | None) -> str | None:
    return None if claim is None else encode(claim)


def reserve(tx: Tx, n: int) -> int:
    """The first of `n` consecutive ids for new links."""
    return ids.reserve(tx, "link", n)


def by_refs(tx: Tx, ws: int, account: int, refs: Iterable[Ref]) -> dict[Ref, LinkRow]:
    """The links of these records, where there are any."""
    kinds: dict[str, list[str]] = defaultdict(list)
    for kind, ref in refs:
        kinds[kind].append(ref)
    found: dict[Ref, LinkRow] = {}
    for kind, wanted in kinds.items():
        for row in tx.rows(_BY_REFS, {"ws": ws, "account": account, "kind": kind, "refs": tx.listed(wanted)}):
            found[Ref(kind, row[3])] = _row(*row)
    return found


def by_ids(tx: Tx, ids: Iterable[int]) -> dict[int, LinkRow]:
    """Id -> link."""
    return {row[0]: _row(*row) for row in tx.rows(_BY_IDS, {"ids": tx.listed(ids)})}


def of_people(tx: Tx, person_ids: Iterable[int]) -> dict[int, list[LinkRow]]:
    """Person -> their links in the order of their ids; people without any are left out."""
    found: dict[int, list[LinkRow]] = defaultdict(list)
    for row in tx.rows(_OF_PEOPLE, {"ids": tx.listed(person_ids)}):
        found[row[4]].append(_row(*row))
    return dict(found)


def in_account(tx: Tx, person_ids: Iterable[int], account: int) -> list[LinkRow]:
    """All links of these people in one account, person by person."""
    return list(starmap(_row, tx.rows(_IN_ACCOUNT, {"ids": tx.listed(person_ids), "account": account})))


def unmatched(tx: Tx, ws: int, after_id: int, limit: int) -> list[LinkRow]:
    """Links in state `new` after this id, in order: an index range, so that a workspace without any costs nothing."""
    return list(starmap(_row, tx.rows(_UNMATCHED, {"ws": ws, "after": after_id, "limit": limit})))


def each(tx: Tx, ws: int, account: int, after_id: int, limit: int) -> list[LinkRow]:
    """All links of an account, page by page, in the order of their ids."""
    return list(starmap(_row, tx.rows(_EACH, {"ws": ws, "account": account, "after": after_id, "limit": limit})))


def places(tx: Tx, ws: int, account: int, after_id: int, limit: int) -> list[Place]:
    """As `each`, for whoever need not know what the records say: most of what reading a link costs is its values."""
    return list(starmap(Place, tx.rows(_PLACES, {"ws": ws, "account": account, "after": after_id, "limit": limit})))


def there(tx: Tx, person_ids: Iterable[int], account: int) -> set[int]:
    """Those of these people who have a record in the account."""
    return {row[0] for row in tx.rows(_THERE, {"ids": tx.listed(person_ids), "account": account})}


def standings(tx: Tx, ids: Iterable[int]) -> dict[int, tuple[int | None, str, int]]:
    """Id -> (person, state, stamp) of a link, without what the record says."""
    return {row[0]: row[1:] for row in tx.rows(_STANDINGS, {"ids": tx.listed(ids)})}


def last(tx: Tx) -> int:
    """The highest number of a link, whosever it is; 0 where there is none. The end of an index."""
    return tx.rows(_LAST, {})[0][0] or 0


def after(tx: Tx, ws: int, after_id: int) -> set[int]:
    """The links with higher numbers: the records that have come since."""
    return {row[0] for row in tx.rows(_AFTER, {"ws": ws, "after": after_id})}


def pages(store: Store, ws: int, account: int, size: int) -> Iterator[list[LinkRow]]:
    """All links of one account in the order of their ids, so many at a time, each page in a transaction of its own."""
    after = 0
    while True:
        with store.read() as tx:
            rows = each(tx, ws, account, after, size)
        if not rows:
            return
        after = rows[-1].id
        yield rows


def with_notes(tx: Tx, ws: int, after_id: int, limit: int) -> list[LinkRow]:
    """Links after this id that have something noted (`claim`), in order: an index range, so that all others cost nothing."""
    return list(starmap(_row, tx.rows(_NOTED, {"ws": ws, "after": after_id, "limit": limit})))


def unmapped(tx: Tx, ws: int) -> dict[tuple[int, str, str], int]:
    """(account, kind, `field=value`) -> how many of its records have that stage value, which nobody mapped (noted as `unmapped`)."""
    found: Counter[tuple[int, str, str]] = Counter()
    after = 0
    while rows := tx.rows(_NOTES, {"ws": ws, "after": after, "limit": _NOTES_PAGE}):
        after = rows[-1][0]
        found.update((account, kind, value) for _, account, kind, claim in rows if isinstance(value := decode(claim).get("unmapped"), str))
    return dict(found)


def parked(tx: Tx, ws: int) -> Iterator[tuple[int, int, Ref, int | None, dict[str, Any]]]:
    """(link, account, address, person, what is noted under `parked`) of the records to which something was refused, in the order of their ids."""
    after = 0
    while rows := tx.rows(_PARKED, {"ws": ws, "after": after, "limit": _NOTES_PAGE}):
        after = rows[-1][0]
        for id_, account, kind, ref, person, claim in rows:
            if isinstance(noted := decode(claim).get("parked"), dict):
                yield id_, account, Ref(kind, ref), person, noted


def counts(tx: Tx, ws: int) -> dict[int, Counts]:
    """Account -> how many of its records are there and how many are linked."""
    found: dict[int, Counts] = defaultdict(lambda: Counts(0, 0))
    for account, state, number in tx.rows(_COUNTS, {"ws": ws}):
        if state not in ("moved", "gone"):
            live, linked = found[account]
            found[account] = Counts(live + number, linked + number * (state == "linked"))
    return dict(found)


def insert(tx: Tx, ws: int, rows: Sequence[LinkRow]) -> None:
    """Write new links, with ids from `reserve`."""
    tx.many(
        _INSERT,
        [
            (id_, ws, account, kind, ref, person, state, stamp, encode(seen), encode(agreed), encode(carried), _claim(claim), author)
            for id_, account, kind, ref, person, state, stamp, seen, agreed, carried, claim, author in rows
        ],
    )


def observed(tx: Tx, rows: Sequence[Observed]) -> None:
    """Write what was read anew. Ids are distinct."""
    tx.many(_OBSERVED, [(state, stamp, encode(seen), encode(agreed), author, id_) for id_, stamp, seen, agreed, author, state in rows])


def remember(tx: Tx, rows: Sequence[Remembered]) -> None:
    """Write what was agreed. Ids are distinct."""
    tx.many(_REMEMBER, [(person, state, encode(agreed), encode(carried), _claim(claim), id_) for id_, person, state, carried, agreed, claim in rows])


def meet_again(tx: Tx, ws: int, ids: Iterable[int]) -> None:
    """Let those of these links that were set aside and are nobody's be matched again."""
    tx.run(_MEET_AGAIN, {"ws": ws, "links": tx.listed(ids)})


def rewrite(tx: Tx, rows: Sequence[LinkRow]) -> None:
    """Write whole links over what is there (a record that moved to another ref, for example). Ids are distinct."""
    tx.many(
        _REWRITE,
        [
            (kind, ref, person, state, stamp, encode(seen), encode(agreed), encode(carried), _claim(claim), author, id_)
            for id_, _, kind, ref, person, state, stamp, seen, agreed, carried, claim, author in rows
        ],
    )
