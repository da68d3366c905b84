"""What is asked in an office, and the answer of somebody to it."""

from __future__ import annotations

from office import Office

from stagesync.sync.people import holds
from stagesync.sync.people.holds import Group


def groups(office: Office) -> list[Group]:
    """The open questions."""
    with office.session.store.read() as tx:
        return holds.groups(tx, office.session.workspace)


def answer(office: Office, use: str) -> None:
    """Somebody answers the one open question."""
    (group,) = groups(office)
    holds.resolve(office.session.store, office.session.workspace, group.id, use, None, office.clock.now_ms())
