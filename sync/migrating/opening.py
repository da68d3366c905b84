"""After a migration: what only the target knew gets a say, for a sync in both directions from then on."""

from __future__ import annotations

from collections.abc import Collection

from ...state import links, people
from ...state.links import LinkRow, Remembered
from ...state.people import PersonRow
from ..deciding.claims import STAGE
from ..session import Session
from .pair import Pair, each_live


def open_up(session: Session, pair: Pair) -> int:
    """Let the next run meet what the target holds and nobody has heard, as at a first meeting; of how many records. May be broken off and done again."""
    now, opened = session.clock.now_ms(), 0
    for rows in each_live(session, pair.target):
        linked = [row for row in rows if row.state == "linked" and row.person is not None]
        with session.store.write() as tx:
            persons = people.by_ids(tx, [row.person for row in linked if row.person is not None])
            met = [_forgetful(row, names) for row in linked if (names := _unheard(pair, row, persons[row.person or 0]))]
            links.remember(tx, met)
            people.mark_due(tx, session.workspace, sorted({row.person for row in met if row.person is not None}), now)
        opened += len(met)
    return opened


def _unheard(pair: Pair, row: LinkRow, person: PersonRow) -> set[str]:
    """Of what the record says, that of which the hub knows nothing, since nothing was taken over. What we gave it in place of a value says nothing."""
    kind = pair.goal.map.kinds[row.kind]
    fields = {
        name
        for name, mapped in kind.fields.items()
        if name not in person.canonical and name in row.carried and row.seen.get(mapped.native) not in (None, False, kind.create_fallback.get(mapped.native))
    }
    stage = {STAGE} if person.stage_version == 0 and STAGE in row.carried and kind.stage is not None and kind.stage.read(row.seen) is not None else set[str]()
    return fields | stage


def _forgetful(row: LinkRow, names: Collection[str]) -> Remembered:
    """The link as if it had never been met in these fields."""
    return Remembered(row.id, row.person, row.state, {name: version for name, version in row.carried.items() if name not in names}, row.agreed, row.claim)
