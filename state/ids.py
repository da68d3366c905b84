"""Numbers for rows, known before the rows are written and never given twice in one database."""

from __future__ import annotations

from sqlalchemy import bindparam, update

from .schema import counter
from .sql import Bulk, Statement
from .store import Tx

_TAKE = Statement(
    update(counter).where(counter.c.name == bindparam("name")).values(next=counter.c.next + bindparam("n")).returning(counter.c.next - bindparam("n"))
)
_FIRST = Bulk(counter, ("name", "next"), ignore=True)


def reserve(tx: Tx, name: str, n: int) -> int:
    """The first of `n` consecutive new ids of the table `name`. Ids of a transaction that is rolled back may be left unused."""
    with tx.aside() as own:
        taken = own.rows(_TAKE, {"name": name, "n": n})
        if not taken:
            own.many(_FIRST, [(name, 1)])
            taken = own.rows(_TAKE, {"name": name, "n": n})
    return taken[0][0]
