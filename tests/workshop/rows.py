"""A workspace whose rows are written straight into the tables."""

from __future__ import annotations

from typing import Any

from stagesync.state import accounts, actions, links, people, runs
from stagesync.state.actions import ActionRow
from stagesync.state.links import LinkRow
from stagesync.state.people import PersonRow
from stagesync.state.store import Tx


class Home:
    """A workspace with one account, inside one open transaction."""

    def __init__(self, tx: Tx, name: str = "main", account: str = "1") -> None:
        self.ws = accounts.workspace(tx, name).id
        self.account = accounts.account(tx, "hubspot", account, "A portal")
        self.run = runs.start(tx, self.ws, "sync", 1, None)


def link(id_: int, account: int, *, ref: str = "", state: str = "new", person: int | None = None, **more: Any) -> LinkRow:
    """A link with sensible values."""
    row = LinkRow(id_, account, "contact", ref or f"r{id_}", person, state, 5, {"email": f"p{id_}@firm.example"}, {}, {}, None, None)
    return row._replace(**more)


def linked(tx: Tx, ws: int, *persons: int) -> None:
    """A record of each of these people."""
    first, account = links.reserve(tx, len(persons)), accounts.account(tx, "hubspot", "1", "A portal")
    links.insert(tx, ws, [link(first + number, account, state="linked", person=person) for number, person in enumerate(persons)])


def new_links(tx: Tx, home: Home, n: int, **more: Any) -> list[LinkRow]:
    """That many links, written."""
    first = links.reserve(tx, n)
    rows = [link(first + i, home.account, **more) for i in range(n)]
    links.insert(tx, home.ws, rows)
    return rows


def new_people(tx: Tx, home: Home, n: int, **more: Any) -> list[PersonRow]:
    """That many people, written."""
    first = people.reserve(tx, n)
    rows = [PersonRow(first + i, "mql", None, None, 1, 1, {"email": ["a@firm.example", 1, "hubspot", None]}, None)._replace(**more) for i in range(n)]
    people.insert(tx, home.ws, rows)
    return rows


def new_actions(tx: Tx, home: Home, *given: dict[str, Any]) -> list[ActionRow]:
    """Actions with these columns, written."""
    first = actions.reserve(tx, len(given))
    plain = ActionRow(
        0, home.run, None, None, home.account, 1, "update", {"phone": [None, "+49", 2, "why"]}, {"phone": "+49"}, "planned", "why", None, None, None, None, 0
    )
    rows = [plain._replace(id=first + i, **more) for i, more in enumerate(given)]
    actions.insert(tx, home.ws, rows)
    return rows
