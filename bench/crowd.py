"""Many people in a state: those of a small one, copied with names, addresses, numbers and ids of their own, row for row with all that is remembered of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from stagesync.model.records import Native
from stagesync.state import actions, changes, entries, keys, links, people
from stagesync.state.actions import ActionRow
from stagesync.state.changes import ChangeRow
from stagesync.state.entries import EntryRow
from stagesync.state.links import LinkRow
from stagesync.state.people import PersonRow
from stagesync.state.store import Store, Tx

_COPIES = 10
"""So many copies of everybody travel in one transaction."""


@dataclass(frozen=True, slots=True)
class Template:
    """One person as they are, with everything about them."""

    row: PersonRow
    links: Sequence[LinkRow]
    keys: Sequence[tuple[int, str, str]]
    changes: Sequence[ChangeRow]
    actions: Sequence[ActionRow]
    stays: Sequence[EntryRow]


def multiply(store: Store, workspace: int, wanted: int, progress: Callable[[int], None]) -> int:
    """Copy the people of this state until there are so many, or a few more; how many there are then."""
    with store.read() as tx:
        templates = _templates(tx, workspace)
    copy, have = 0, len(templates)
    while have < wanted:
        with store.write() as tx:
            for _ in range(_COPIES):
                copy += 1
                _write(tx, workspace, templates, copy)
                have += len(templates)
        progress(have)
    return have


def _templates(tx: Tx, workspace: int) -> list[Template]:
    rows = people.each(tx, workspace, 0, 1_000_000)
    theirs = links.of_people(tx, [row.id for row in rows])
    found: list[Template] = []
    for row in rows:
        mine = theirs.get(row.id, [])
        numbers = [link.id for link in mine]
        seen = [change for each in changes.of_links(tx, numbers).values() for change in each]
        acts = actions.of_person(tx, workspace, row.id)[::-1]
        found.append(Template(row, mine, _keys(tx, numbers), seen, acts, entries.of_people(tx, [row.id]).get(row.id, [])))
    return found


def _keys(tx: Tx, numbers: Sequence[int]) -> list[tuple[int, str, str]]:
    from stagesync.state import dossier

    return [(number, key, value) for number in numbers for key, value in dossier.keys_of(tx, [number])]


def _write(tx: Tx, workspace: int, templates: Sequence[Template], copy: int) -> None:
    """One copy of everybody."""
    made = _Copy(copy)
    made.number("person", people.reserve(tx, len(templates)), [each.row.id for each in templates])
    made.number("link", links.reserve(tx, sum(len(each.links) for each in templates)), [link.id for each in templates for link in each.links])
    acts = sorted((act for each in templates for act in each.actions), key=lambda act: act.id)
    made.number("action", actions.reserve(tx, len(acts)), [act.id for act in acts])
    people.insert(tx, workspace, [made.person(each.row) for each in templates])
    links.insert(tx, workspace, [made.link(link) for each in templates for link in each.links])
    keys.insert(tx, workspace, [(key, made.text(value), made.ids["link"][link]) for each in templates for link, key, value in each.keys])
    actions.insert(tx, workspace, [made.action(act) for act in acts])
    changes.insert(tx, workspace, [made.change(change) for each in templates for change in each.changes])
    entries.enter(tx, workspace, [stay.new._replace(person=made.ids["person"][stay.person]) for each in templates for stay in each.stays])


class _Copy:
    """One copy: how its numbers and texts differ from the original's."""

    def __init__(self, copy: int) -> None:
        self.copy = copy
        self.ids: dict[str, dict[int, int]] = {}

    def number(self, table: str, first: int, originals: Sequence[int]) -> None:
        """Consecutive new numbers for these rows."""
        self.ids[table] = {original: first + offset for offset, original in enumerate(originals)}

    def text(self, value: Native) -> Any:
        """An address gets its own name; everything else may be the same for several people."""
        if isinstance(value, str) and "@" in value:
            local, _, domain = value.partition("@")
            return f"{local}.{self.copy}@{domain}"
        return value

    def values(self, values: dict[str, Any]) -> dict[str, Any]:
        """The same with own addresses."""
        return {name: self.text(value) for name, value in values.items()}

    def ref(self, ref: str) -> str:
        """The id of a record of the copy, as long as real ones are."""
        return f"{ref}{self.copy:05d}" if ref.isdigit() else f"{ref[:6]}{self.copy:04x}{ref[10:]}"

    def person(self, row: PersonRow) -> PersonRow:
        """The person."""
        return row._replace(id=self.ids["person"][row.id], canonical=self.canonical(row.canonical))

    def canonical(self, canonical: dict[str, list[Any]]) -> dict[str, list[Any]]:
        """The hub's values with own addresses."""
        return {name: [self.text(entry[0]), *entry[1:]] for name, entry in canonical.items()}

    def link(self, row: LinkRow) -> LinkRow:
        """A record."""
        person = None if row.person is None else self.ids["person"][row.person]
        return row._replace(id=self.ids["link"][row.id], ref=self.ref(row.ref), person=person, seen=self.values(row.seen))

    def action(self, act: ActionRow) -> ActionRow:
        """Something that was decided, written or asked."""
        payload = dict(act.payload)
        for name in payload.keys() & {"values", "before"}:
            payload[name] = self.values(payload[name])
        if "canonical" in payload:
            payload["canonical"] = self.canonical(payload["canonical"])
            payload["links"] = [[self.ids["link"].get(link, link), *rest] for link, *rest in payload["links"]]
        result = {**act.result, "ref": self.ref(act.result["ref"])} if act.result is not None and "ref" in act.result else act.result
        link = None if act.link is None else self.ids["link"].get(act.link)
        person = None if act.person is None else self.ids["person"][act.person]
        return act._replace(id=self.ids["action"][act.id], person=person, link=link, payload=payload, result=result)

    def change(self, row: ChangeRow) -> tuple[int, int | None, int | None, int, int | None, str | None, dict[str, Any]]:
        """What was seen to differ."""
        person = None if row.person is None else self.ids["person"][row.person]
        return self.ids["link"][row.link], person, row.at, row.seen_at, row.run, row.author, row.values
