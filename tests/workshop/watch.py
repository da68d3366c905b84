"""Looks at the worlds around every write of the engine: what must never happen is seen in the moment in which it does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from somebody import LINE, Row

if TYPE_CHECKING:
    from lab import Lab

CHANGES = ("POST", "PATCH", "PUT", "DELETE")
READS = ("/search", "/batch/read", "/composite/sobjects/Lead", "/composite/sobjects/Contact", "/token")


class Watch:
    """What the engine did that it may not. `wrong`: sentences, empty in a good history."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.wrong: list[str] = []
        self.stages: dict[tuple[str, str], str] = {}
        self.made: Counter[str] = Counter()
        self.may_write = True
        self.within = False

    def begins(self) -> None:
        """A run begins: nothing of it may be written before it is planned, except what settles an older one, which only reads."""
        self.may_write, self.within = False, False
        self.made.clear()

    def planned(self, *, approved: bool, within: bool) -> None:
        """The plan stands. `within`: no guard has spoken."""
        self.may_write, self.within = approved, within

    @contextmanager
    def over(self, world: str, request: Any) -> Iterator[None]:
        """Around one call."""
        if not self.lab.running or request.method not in CHANGES or request.path.endswith(READS):
            yield
            return
        if not self.may_write:
            self.wrong.append(f"{request.method} {request.path} in {world}, although a guard stands before the plan")
        before = {row.id: row for row in self.lab.rows(world)}
        for row in before.values():
            self._remember(row)
        yield
        after = {row.id: row for row in self.lab.rows(world)}
        self._vanished(world, before, after)
        self._lowered(after)
        self._counted(world, before, after)

    def _remember(self, row: Row) -> None:
        if row.values.get("stage") in LINE:
            self.stages[(row.world, row.id)] = str(row.values["stage"])

    def _vanished(self, world: str, before: dict[str, Row], after: dict[str, Row]) -> None:
        """Deletions are asked about here, so no write of ours takes a record away."""
        for id in before.keys() - after.keys():
            if (world, id) not in self.lab.deleted:
                self.wrong.append(f"our write took {world} {id} ({before[id].values['last_name']}) away")

    def _lowered(self, after: dict[str, Row]) -> None:
        """A stage goes down only where somebody lowered it; HubSpot's is cleared first, so the last one that was not blank counts."""
        for row in after.values():
            stage, last, human = row.values.get("stage"), self.stages.get((row.world, row.id)), str(row.values["last_name"])
            known = human in self.lab.lowered | self.lab.tainted or self._unseen(row, last)
            if stage in LINE and last is not None and LINE.index(str(stage)) < LINE.index(last) and not known:
                self.wrong.append(f"our write lowered {row.world} {row.id} ({human}) from {last} to {stage}")
            self._remember(row)

    def _unseen(self, row: Row, stage: str | None) -> bool:
        """It was moved there between our last look and the write, which nobody can see in time."""
        moves = [doing for doing in self.lab.doings if doing.number in self.lab.windows and doing.field == "stage"]
        return any((doing.world, doing.id, doing.value) == (row.world, row.id, stage) for doing in moves)

    def _counted(self, world: str, before: dict[str, Row], after: dict[str, Row]) -> None:
        """Where no guard has spoken, no more is made than they allow."""
        self.made[world] += len(after.keys() - before.keys())
        limits = self.lab.weather.limits
        if limits is not None and self.within and self.made[world] > limits["creates"].count:
            self.wrong.append(f"{self.made[world]} records made in {world}, and no guard has spoken")
