"""Which page of a list is asked for next, where several chains of pages are followed side by side.

HubSpot's list goes on from an id (HubSpot docs, Contacts; that this may be any id is nowhere said), so that a *chain* can begin anywhere: where its first page
is, it tells itself. It is followed page by page, as the list names them, up to the first id that the next chain has *shown*. So nothing rests on what HubSpot
makes of a chosen id: the chains meet, whatever it is, or one of them is seen to be strange.

A new chain begins some pages ahead of the last one, by the distance of the ids that this has shown; behind the end of the list it finds nothing, which tells
where that is. From then on, whoever is free takes the second half of what seems to be the longest way left. Ids may lie as unevenly as they like.

Pure: no call is made here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

LEAST = 4
"""So many pages a chain should have before it. Where two chains meet, half a page is read twice."""
_FORESIGHT = 8
"""A new chain begins ahead of the last one by so small a part of what was read: a large account needs few chains, a small one is over soon."""


class Strange(Exception):
    """The list does not go on from ids in the way that several chains need."""


@dataclass(slots=True, eq=False)
class Chain:
    """`after`: the id that it goes on from; all from its beginning up to there were shown. `end`: the first id that the next chain showed, where there is one.

    `edge`: nothing lies from there up to the end. `step`: from one contact to the next, on its last page. `busy`: a page of it is under way. `tried`: a chain
    that shall take over its second half is.
    """

    after: int
    end: int | None = None
    edge: int | None = None
    step: float = 0.0
    busy: bool = False
    tried: bool = False
    done: bool = False


@dataclass(frozen=True, slots=True)
class Ask:
    """A page to ask for: what lies from `after` on. `ahead`: it is the first one of a chain that takes over from this one."""

    after: int
    chain: Chain
    ahead: bool = False


class Ranges:
    """The chains of one reading, from the lowest ids up. `most`: so many of them at once."""

    def __init__(self, chains: Sequence[Chain], most: int) -> None:
        self.chains = list(chains)
        self._waiting = list(chains)
        self._most = most
        self._rows = 0
        self._pages = 0

    def left(self) -> list[tuple[int, int | None]]:
        """What is not read yet: from where to where, None for the end of the list. A chain whose first page is under way has taken over nothing yet."""
        return [(chain.after, chain.end) for chain in self.chains]

    def alone(self) -> bool:
        """There is one chain, and nothing was asked ahead of it."""
        return len(self.chains) == 1 and not self.chains[0].tried

    def more(self) -> Ask | None:
        """The next page to ask for; None while there is nothing to do but wait for what is under way."""
        if len(self.chains) + sum(chain.tried for chain in self.chains) < self._most:
            best = max((chain for chain in self.chains if chain.step and not chain.tried), key=self._left, default=None)
            if best is not None and self._left(best) >= 2 * LEAST:
                best.tried = True
                return Ask(self._ahead(best), best, ahead=True)
        if not self._waiting:
            return None
        chain = self._waiting.pop(0)
        chain.busy = True
        return Ask(chain.after, chain)

    def take(self, ask: Ask, ids: Sequence[int], after: int | None) -> int:
        """What came: the ids of the page, and where it says that the list goes on. Gives how many of them, from the first on, are news. Raises `Strange`."""
        ascending = all(one < other for one, other in pairwise((ask.after - 1, *ids)))
        if not ascending or (after is not None and after < max((ask.after + 1, *ids))):
            raise Strange
        self._pages += 1
        self._rows = max(self._rows, len(ids))
        if not ask.ahead:
            return self._follow(ask.chain, ids, after)
        chain = self._begun(ask, ids)
        return 0 if chain is None else self._follow(chain, ids, after)

    def _begun(self, ask: Ask, ids: Sequence[int]) -> Chain | None:
        """The chain that begins here; None where nothing is left for it, or its beginning was passed meanwhile."""
        before = ask.chain
        before.tried = False
        if before.done or (ids and before.after >= ids[0]):
            return None
        before.edge = ask.after
        if not ids or (before.end is not None and ids[0] >= before.end):
            return None
        chain = Chain(ids[0], before.end)
        before.end = ids[0]
        self.chains.insert(self.chains.index(before) + 1, chain)
        return chain

    def _follow(self, chain: Chain, ids: Sequence[int], after: int | None) -> int:
        chain.busy = False
        end = chain.end
        news = len(ids) if end is None else sum(id < end for id in ids)
        met = ids[news] if news < len(ids) else after if after is not None and end is not None and after >= end else None
        if met != (end if met is not None or after is None else None):
            raise Strange
        if after is None or met is not None:
            chain.done = True
            self.chains.remove(chain)
            return news
        if len(ids) > 1:
            chain.step = (ids[-1] - ids[0]) / (len(ids) - 1)
        chain.after = after
        self._waiting.append(chain)
        return news

    def _bound(self, chain: Chain) -> int | None:
        return chain.end if chain.edge is None else chain.edge

    def _left(self, chain: Chain) -> float:
        """About so many pages; of a chain without a known end, as many as one could wish."""
        bound = self._bound(chain)
        return float("inf") if bound is None else (bound - chain.after) / (chain.step * self._rows)

    def _ahead(self, chain: Chain) -> int:
        bound = self._bound(chain)
        if bound is not None:
            return chain.after + (bound - chain.after) // 2
        return chain.after + int(chain.step * self._rows * max(LEAST, self._pages // _FORESIGHT))
