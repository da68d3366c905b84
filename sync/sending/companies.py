"""To which companies a plan would link people: how many are there, how many would be made, and of how many nobody can tell which one it is."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from math import ceil
from typing import NamedTuple

from ...connectors.contract import Companies
from ...model.companies import FIELD, NONE_FOUND, SEVERAL_FOUND, By, Company, Linked, read_company
from ...model.writes import Step
from ...state import actions
from ..session import Connected, Session

CHUNK = 2_000


class Named(NamedTuple):
    """What a system has of the companies that people are to be linked to. `people`: whom the plan would link.

    `missing`: not there; `make`: they would be made. `several`: more than one record may be it; `refused`: could not be looked for. `calls`: what looking for
    them and making them costs.
    """

    by: By
    make: bool
    people: int
    there: int
    missing: int
    several: int
    refused: int
    calls: int


def named_companies(session: Session, connected: Connected, run: int) -> Named | None:
    """Look for the companies of a system that the plan names, and make none; None where people are linked to none there. Raises what the connector raises."""
    rules, connector = connected.system.map.companies, connected.connector
    if rules is None or not connected.system.writes or not isinstance(connector, Companies):
        return None
    wanted = _wanted(session, connected, run)
    before = connector.usage().calls
    found = connector.companies(list(wanted), rules.by, make=False)
    fates = Counter("there" if isinstance(each, Linked) else getattr(each, "code", "") for each in found)
    there, missing, several = fates["there"], fates[NONE_FOUND], fates[SEVERAL_FOUND]
    _, size = connector.capabilities.batch(Step(0, 1, "create", connected.system.map.create_kind, None, {}))
    calls = connector.usage().calls - before + (ceil(missing / size) if rules.make else 0)
    return Named(rules.by, rules.make, wanted.total(), there, missing, several, fates.total() - there - missing - several, calls)


def _wanted(session: Session, connected: Connected, run: int) -> Counter[Company]:
    """Company -> people whom the plan would link to it."""
    kinds, found = connected.system.map.kinds, Counter[Company]()
    for op in ("create", "update"):
        for row in chain.from_iterable(actions.pages(session.store, run, ("planned",), CHUNK, op, connected.system.account)):
            link = kinds[row.payload["kind"]].fields.get(FIELD)
            value = row.payload["values"].get(link.native) if link is not None else None
            if isinstance(value, str):
                found[read_company(value)] += 1
    return found
