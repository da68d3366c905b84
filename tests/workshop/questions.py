"""What is asked in an office, and the answer of somebody to it."""

from __future__ import annotations

from office import Office

from stagesync.sync.people import holds
from stagesync.sync.people.answers import resolve
from stagesync.sync.people.holds import Group


def groups(office: Office) -> list[Group]:
    """The open questions."""
    with office.session.store.read() as tx:
        return holds.groups(tx, office.session.workspace)


def questions(office: Office) -> list[str]:
    """What is asked now, each in its short form."""
    return [group.question for group in groups(office)]


def answer(office: Office, use: str) -> int:
    """Somebody answers the one open question; gives for how many people."""
    (group,) = groups(office)
    return resolve(office.session.store, office.session.workspace, group.id, use, None, office.clock.now_ms())
