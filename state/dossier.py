"""Where the state keeps something about one person beside the person's own row: found through their records, their keys and their number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import bindparam, or_, select

from . import actions, signals
from .actions import ActionRow
from .schema import action, match_key, signal, word
from .signals import SignalRow
from .sql import Statement, among
from .store import Tx

_ACTIONS = Statement(
    select(action.c.id)
    .where(action.c.workspace == bindparam("ws"), or_(among(action.c.person, "persons"), among(action.c.link, "links")))
    .order_by(action.c.id)
)
_GROUPS = Statement(
    select(action.c.id)
    .where(action.c.workspace == bindparam("ws"), or_(action.c.question == word("ambiguous"), action.c.question.startswith("apart:")))
    .order_by(action.c.id)
)
_KEYS = Statement(select(match_key.c.link, match_key.c.key, match_key.c.value).where(among(match_key.c.link, "links")).order_by(match_key.c.link))
_HOLDERS = Statement(
    select(match_key.c.link)
    .where(match_key.c.workspace == bindparam("ws"), match_key.c.key == bindparam("key"), among(match_key.c.value, "values"))
    .order_by(match_key.c.link)
)
_SIGNALS = Statement(
    select(signal.c.id)
    .where(
        signal.c.workspace == bindparam("ws"),
        or_(among(signal.c.person, "persons"), among(signal.c.link, "links"), signal.c.person.is_(None) & among(signal.c.who, "whos")),
    )
    .order_by(signal.c.id)
)


def keys_of(tx: Tx, links: Iterable[int]) -> list[tuple[str, str]]:
    """The match keys of these records, each once."""
    return list(dict.fromkeys((key, value) for _, key, value in tx.rows(_KEYS, {"links": tx.listed(links)})))


def holders(tx: Tx, ws: int, keys: Iterable[tuple[str, str]]) -> list[int]:
    """All links that have one of these match keys, those that are gone or set aside included."""
    values: dict[str, list[str]] = defaultdict(list)
    for key, value in keys:
        values[key].append(value)
    return sorted({link for key, found in values.items() for (link,) in tx.rows(_HOLDERS, {"ws": ws, "key": key, "values": tx.listed(found)})})


def actions_of(tx: Tx, ws: int, persons: Iterable[int], links: Iterable[int]) -> list[ActionRow]:
    """Everything that was planned, written, asked and decided about them, and the questions in which one of the records stands beside others."""
    mine = frozenset(links)
    found = {number for (number,) in tx.rows(_ACTIONS, {"ws": ws, "persons": tx.listed(persons), "links": tx.listed(mine)})}
    groups = actions.by_ids(tx, [number for (number,) in tx.rows(_GROUPS, {"ws": ws})])
    found.update(row.id for row in groups.values() if mine & set(row.payload.get("park", ())))
    return list(actions.by_ids(tx, sorted(found)).values())


def signals_of(tx: Tx, ws: int, persons: Iterable[int], links: Iterable[int], keys: Iterable[tuple[str, str]]) -> list[SignalRow]:
    """What was told of them; also what nobody has been found for yet, told under one of their keys."""
    whos = [f"{key}:{value}" for key, value in keys]
    found = tx.rows(_SIGNALS, {"ws": ws, "persons": tx.listed(persons), "links": tx.listed(links), "whos": tx.listed(whos)})
    return signals.by_ids(tx, [number for (number,) in found])
