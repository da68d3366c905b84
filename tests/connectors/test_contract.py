"""The contract suite over the built-in connectors, each against its sandbox world."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from clerk import HEADER, Clerk
from hubspot_portal import Portal
from salesforce_org import Org
from teller import Teller

from stagesync.connectors.testing import ConnectorContract, Subject, TellingContract, Values
from stagesync.model.records import Ref
from stagesync.sandbox.hubspot.habits import Habits


def _plain(values: Values) -> dict[str, str | None]:
    return {name: None if value is None else str(value) for name, value in values.items()}


def _hubspot(portal: Portal) -> Subject:
    return Subject(
        connector=portal.connector,
        kind="contact",
        key="email",
        text="jobtitle",
        person=lambda number: {"email": f"p{number}@people.example", "firstname": f"First{number}", "lastname": "Last", "jobtitle": f"Title {number}"},
        refused={"lifecyclestage": "no such stage"},
        create=lambda values: Ref("contact", portal.world.create(_plain(values))),
        edit=lambda ref, values: portal.world.edit(ref.id, _plain(values)),
        delete=lambda ref: portal.world.archive(ref.id),
        settle=lambda: portal.clock.sleep(60),
    )


class TestHubSpot(ConnectorContract):
    """A portal with a search index that lags, by numbered and by dated paths."""

    @pytest.fixture(params=["v3", "2026-09"])
    def subject(self, request: pytest.FixtureRequest) -> Iterator[Subject]:
        """An empty portal."""
        portal = Portal(Habits(search_lag_s=30), api_version=request.param)
        yield _hubspot(portal)
        portal.connector.close()


class TestSalesforce(ConnectorContract):
    """An org, as Leads and as Contacts."""

    @pytest.fixture(params=["lead", "contact"])
    def subject(self, request: pytest.FixtureRequest) -> Iterator[Subject]:
        """An empty org."""
        org, kind = Org(), str(request.param)
        name = kind.capitalize()
        more = {"Company": "Acme"} if kind == "lead" else {}
        yield Subject(
            connector=org.connector,
            kind=kind,
            key="Email",
            text="Title",
            person=lambda number: {"Email": f"p{number}@people.example", "LastName": f"Last{number}", "Title": f"Title {number}", **more},
            refused={"LastName": None},
            create=lambda values: Ref(kind, org.world.create(name, dict(values))),
            edit=lambda ref, values: org.world.edit(ref.id, dict(values)),
            delete=lambda ref: org.world.delete(ref.id),
            settle=lambda: org.clock.sleep(1),
        )
        org.connector.close()


class TestWebhook(TellingContract):
    """A system that posts events, as far as it can be asked anything."""

    @pytest.fixture
    def subject(self, tmp_path: Path) -> Iterator[Subject]:
        """A system that has told nothing yet."""
        teller = Teller(tmp_path)
        people = itertools.count(1)

        def create(values: Values) -> Ref:
            return teller.person(f"u{next(people)}", values)

        yield Subject(
            connector=teller.connector,
            kind="contact",
            key="email",
            text="job_title",
            person=lambda number: {"email": f"p{number}@people.example", "job_title": f"Title {number}"},
            refused={},
            create=create,
            edit=lambda ref, values: teller.person(ref.id, values) and None,
            delete=lambda ref: teller.tell({"type": "deleted", "id": ref.id}),
        )
        teller.connector.close()


class TestCsv(ConnectorContract):
    """A file, in each of its forms."""

    @pytest.fixture(params=["csv", "jsonl"])
    def subject(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
        """A file with a header and no row."""
        clerk = Clerk(tmp_path, str(request.param), key="Record ID", columns=HEADER, complete=True)
        clerk.save([])
        yield Subject(
            connector=clerk.connector,
            kind="contact",
            key="Email",
            text="Job Title",
            person=lambda number: {"Email": f"p{number}@people.example", "Last Name": "Last", "Job Title": f"Title {number}"},
            refused={"Notes": "half a line\0"},
            create=clerk.create,
            edit=clerk.edit,
            delete=clerk.delete,
        )
        clerk.connector.close()
