"""Hints: what HubSpot posts is looked at again before anything else is read; lost, doubled, late or out of order, it changes when, never what."""

from __future__ import annotations

from contextlib import closing
from itertools import islice
from pathlib import Path

import pytest
from ears import Ears, hearing
from histories import lived
from hubspot_portal import FIELDS
from office import Office
from salesforce_org import Drawer, Hand, NoLimits

from stagesync.connectors.contract import Ports
from stagesync.connectors.hints import hint
from stagesync.connectors.hubspot.connector import open_account
from stagesync.model.records import Page, Query
from stagesync.sandbox.clients import WorldPool
from stagesync.sandbox.clock import WorldClock
from stagesync.sandbox.hubspot import HubSpotWorld
from stagesync.sandbox.hubspot.habits import Habits
from stagesync.state import actions, inbox, links
from stagesync.state.inbox import Arrival, open_inbox
from stagesync.state.inbox_reader import StateInbox

ANNA = "anna@acme.example"


def office(folder: Path, habits: Habits | None = None) -> Office:
    """An office that hears what HubSpot posts, with one person in it, at rest."""
    made = Office(folder, hints=True, hub_habits=habits)
    made.hub.create({"email": ANNA, "firstname": "Anna", "lastname": "Berg"})
    hear(made)
    made.later()
    made.quiet()
    made.later()
    made.quiet()
    return made


def hear(made: Office) -> int:
    """All that waits comes in; how many hints were news."""
    assert made.ears is not None
    return made.ears.hear()


def kept(url: str, workspace: str) -> dict[str, int]:
    """What lies in the inbox: how many events, by state."""
    with closing(open_inbox(url)) as box, box.read() as tx:
        return {each.state: each.events for each in inbox.waiting(tx, workspace)}


def state_of(made: Office, id: str) -> str:
    """What the engine remembers of a contact."""
    account = next(account for account, connected in made.session.systems.items() if connected.name == "hub")
    with made.session.store.read() as tx:
        return next(row.state for row in links.each(tx, made.session.workspace, account, 0, 100) if row.ref == id)


def questions(made: Office) -> list[str]:
    """Open questions."""
    with made.session.store.read() as tx:
        return [hold.question or "" for hold in actions.holds(tx, made.session.workspace)]


def test_an_edit_is_seen_before_the_index_knows_it(tmp_path: Path) -> None:
    """HubSpot's search follows after ten minutes here; the hint shows the record itself. When the index has followed, nothing more happens."""
    made = office(tmp_path, Habits(search_lag_s=600))
    made.hub.edit(made.contact(ANNA)["id"], {"jobtitle": "Head of Sales"})
    assert made.run().writes == 0
    assert hear(made) == 1
    assert made.run().writes == 1
    assert made.person(ANNA)["Title"] == "Head of Sales"
    made.later()
    assert made.run().writes == 0


def test_a_deletion_is_known_at_once(tmp_path: Path) -> None:
    """HubSpot has no feed of deletions: without a hint the next sweep finds it, hours later."""
    made = office(tmp_path)
    id = made.contact(ANNA)["id"]
    made.hub.archive(id)
    made.run()
    assert (state_of(made, id), questions(made)) == ("linked", [])
    hear(made)
    made.run()
    assert state_of(made, id) == "gone"
    assert questions(made) == ["deleted:hub"]


def test_a_hint_of_a_deletion_is_not_believed(tmp_path: Path) -> None:
    """It comes late: the contact was restored meanwhile, and is there."""
    made = office(tmp_path)
    id = made.contact(ANNA)["id"]
    made.hub.archive(id)
    made.hub.restore(id)
    assert hear(made) == 2
    assert made.run().writes == 0
    assert (state_of(made, id), questions(made)) == ("linked", [])


def test_a_restored_contact_is_found_again(tmp_path: Path) -> None:
    """Its stamp does not move, so that no search shows it."""
    made = office(tmp_path)
    id = made.contact(ANNA)["id"]
    made.hub.archive(id)
    hear(made)
    made.run()
    made.hub.restore(id)
    made.run()
    assert state_of(made, id) == "gone"
    hear(made)
    made.run()
    assert state_of(made, id) == "linked"


def test_a_merge_moves_the_link(tmp_path: Path) -> None:
    """To the new id, before the index knows it."""
    made = office(tmp_path, Habits(search_lag_s=600))
    id = made.contact(ANNA)["id"]
    other = made.hub.create({"email": "anna.b@acme.example", "lastname": "Berg"})
    into = made.hub.merge(id, other)
    hear(made)
    made.run()
    assert state_of(made, into) == "linked"


def test_an_erasure_is_the_question_that_it_is(tmp_path: Path) -> None:
    """Both of its events, in whatever order, end in the one question about privacy."""
    made = office(tmp_path)
    made.hub.gdpr_delete(made.contact(ANNA)["id"])
    made.hub.webhooks.pending.reverse()
    assert hear(made) == 2
    made.run()
    assert questions(made) == ["erased:hub"]


def test_nobody_is_due_where_nothing_differs(tmp_path: Path) -> None:
    """Hints of what a run has seen already, doubled, cost a read and nothing else."""
    made = office(tmp_path)
    id = made.contact(ANNA)["id"]
    made.hub.edit(id, {"jobtitle": "Head of Sales"})
    made.quiet()
    assert hear(made) == 1
    planned = made.plan()
    assert (planned.tally.people, planned.tally.records, planned.pulled["hub"].changed) == (0, 0, 0)


def test_our_own_writes_come_to_no_hint(tmp_path: Path) -> None:
    """What a run wrote to HubSpot is told to us, and kept nowhere."""
    made = office(tmp_path)
    made.crm.edit(made.person(ANNA)["Id"], {"Title": "Head of Sales"})
    assert made.run().writes == 1
    assert made.hub.webhooks.pending
    assert hear(made) == 0


def test_hints_of_nobody_are_done(tmp_path: Path) -> None:
    """Contacts that never were, or are not to be seen, hold nothing up."""
    made = office(tmp_path)
    made.run()
    for number in (1, 99_999_999):
        made.hub.webhooks.tell("propertyChange", number, made.clock.now_ms(), made.hub.portal.integration._replace(source_type="CRM_UI"))
    assert hear(made) == 2
    assert made.run().writes == 0
    made.run()
    assert set(kept(made.url, "office")) == {"done"}


class Listener:
    """A portal and a connector to it, page by page. `hearing`: with webhooks configured."""

    def __init__(self, folder: Path) -> None:
        self.clock = Hand()
        self.url = f"sqlite:///{folder / 'state.db'}"
        self.world = HubSpotWorld(clock=WorldClock(lambda: self.clock.at))
        self.ears = Ears(self.world, self.url, "acme", self.clock)

    def pages(self, cursor: str | None = None, *, most: int = 100, hears: bool = True) -> list[Page]:
        """The first pages of a pull from here on, by a connector as after a restart."""
        settings = hearing() if hears else hearing().model_copy(update={"hook_secrets": ()})
        ports = Ports(self.clock, NoLimits(), Drawer(), inbox=StateInbox(self.url, "acme"))
        with closing(open_account("hub", settings, ports, WorldPool(self.world))) as connector:
            return list(islice(connector.pull(Query({"contact": FIELDS}, cursor)), most))

    def at_rest(self, *, hears: bool = True) -> str:
        """The cursor of a pull behind which nothing is left to be read."""
        cursor = self.pages(hears=hears)[-1].cursor
        self.clock.at += 10_000
        return self.pages(cursor, hears=hears)[-1].cursor

    def hint(self, *ids: str, ended: bool = False, each: bool = False) -> None:
        """One hint about these contacts, or one for each of them."""
        self.clock.at += 1
        about = [(id,) for id in ids] if each else [ids]
        with closing(open_inbox(self.url)) as box, box.write() as tx:
            hints = [hint(f"{self.clock.at} {number}", "contact", some, ended=ended) for number, some in enumerate(about)]
            inbox.put(tx, [Arrival("acme", "hub", told, self.clock.now_ms()) for told in hints])


def ids(page: Page) -> list[str]:
    """The records on a page."""
    return [record.ref.id for record in page.records]


def test_hints_are_done_when_what_they_showed_is_kept(tmp_path: Path) -> None:
    """A run that dies before its commit goes on from the cursor before, and reads them once more; behind the cursor they are done."""
    here = Listener(tmp_path)
    one, other = here.world.load([{"email": f"{name}@acme.example"} for name in "ab"])
    start = here.at_rest()
    here.hint(other, one, other)
    here.hint(one)
    first = here.pages(start, most=1)[0]
    assert ids(first) == [other, one]
    assert kept(here.url, "acme") == {"new": 2}
    assert ids(here.pages(start, most=1)[0]) == [other, one]
    rest = here.pages(first.cursor)
    assert [ids(page) for page in rest] == [[]]
    assert kept(here.url, "acme") == {"done": 2}
    here.hint(one)
    assert [ids(page) for page in here.pages(rest[-1].cursor)] == [[one], []]


def test_what_is_gone_moved_or_unknown(tmp_path: Path) -> None:
    """Each hint ends in what the portal says of the record now; the many are read in few calls."""
    here = Listener(tmp_path)
    one, other, gone, *crowd = here.world.load([{"email": f"p{number}@acme.example"} for number in range(150)])
    start = here.at_rest()
    into = here.world.merge(one, other)
    here.world.archive(gone)
    here.world.calls.clear()
    here.hint(one, gone, "7", ended=True)
    here.hint(*crowd)
    page = here.pages(start, most=1)[0]
    assert sorted(ids(page)) == sorted(crowd)
    assert {(each.ref.id, each.why) for each in page.gone} == {(gone, "deleted"), ("7", "erased")}
    assert {(each.ref.id, each.to.id) for each in page.moved} == {(one, into)}
    assert sum(here.world.calls.values()) <= 7


def test_a_mass_deletion_costs_a_handful_of_calls(tmp_path: Path) -> None:
    """Five hundred hints of deletions that came at once are looked at by the hundred, those that were restored meanwhile too."""
    here = Listener(tmp_path)
    crowd = here.world.load([{"email": f"p{number}@acme.example"} for number in range(500)])
    start = here.at_rest()
    for id in crowd:
        here.world.archive(id)
    here.world.restore(crowd[0])
    here.world.calls.clear()
    here.hint(*crowd, each=True, ended=True)
    page = here.pages(start, most=1)[0]
    assert ids(page) == crowd[:1]
    assert {each.ref.id: each.why for each in page.gone} == dict.fromkeys(crowd[1:], "deleted")
    assert sum(here.world.calls.values()) == 10


def test_where_everything_is_read_only_what_may_be_gone_is_looked_at(tmp_path: Path) -> None:
    """A pull from the beginning shows all that is there; so do one by `verify` and one after another mapping."""
    here = Listener(tmp_path)
    one, gone = here.world.load([{"email": f"{name}@acme.example"} for name in "ab"])
    here.hint(one)
    here.hint(gone, ended=True)
    here.world.archive(gone)
    hinted, *rest = here.pages()
    assert (ids(hinted), [each.ref.id for each in hinted.gone]) == ([], [gone])
    assert [ids(page) for page in rest] == [[one]]


def test_cursors_outlive_the_configuration(tmp_path: Path) -> None:
    """Webhooks switched off and on again, and an inbox that was lost: the pull goes on where it was, and new hints are read."""
    here = Listener(tmp_path)
    one, _ = here.world.load([{"email": f"{name}@acme.example"} for name in "ab"])
    plain = here.at_rest(hears=False)
    here.hint(one)
    heard = here.pages(plain)
    assert [ids(page) for page in heard] == [[one], []]
    deaf = here.pages(heard[-1].cursor, hears=False)
    assert [ids(page) for page in deaf] == [[]]
    assert [ids(page) for page in here.pages(deaf[-1].cursor)] == [[]]
    for file in tmp_path.glob("state.inbox.db*"):
        file.unlink()
    here.hint(one)
    assert [ids(page) for page in here.pages(deaf[-1].cursor)] == [[one], []]


def test_who_hears_nothing_has_no_inbox(tmp_path: Path) -> None:
    """Without a secret for webhooks, no file is made for them."""
    Listener(tmp_path).pages(hears=False)
    assert not list(tmp_path.glob("*.inbox.db"))


@pytest.mark.parametrize("part", range(12))
def test_histories_end_well_with_hints(tmp_path: Path, part: int) -> None:
    """Somebody works, calls fail, the program dies, and hints are lost, doubled, late and out of order: all is settled, and late ones find nothing to do."""
    heard = 0
    for seed in range(part, 36, 12):
        wrong, story = lived(seed, tmp_path / str(seed), hints=True)
        assert not wrong, "\n".join([*story, *wrong])
        heard += sum("hints come in" in line for line in story)
    assert heard
