"""People and another tool at work in any order: what a shadow says waits is what a plan of everybody would write, and no write of the tool is lost."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random
from typing import TypeAlias

import pytest
from office import Office
from second_tool import BY_TOOL, SecondTool

from stagesync.model.shadow import OPEN, ShadowRow
from stagesync.state import actions, closing, leases, shadow
from stagesync.sync import engine
from stagesync.sync.shadows.shadow import follow

Waiting: TypeAlias = tuple[int, str, int, int | None, str, str]
"""Person, operation, account, link, field and value."""
NAMES = ("ann", "ben", "cid")
VALUES = ("Boss", "CEO", "Chair", "Head", "")
STAGES = ("lead", "marketingqualifiedlead", "salesqualifiedlead")
STATUSES = ("Open - Not Contacted", "Marketing Qualified", "Sales Qualified")
HUBSPOT = {"jobtitle": VALUES, "city": VALUES, "lifecyclestage": STAGES}
SALESFORCE = {"Title": VALUES, "City": VALUES, "Status": STATUSES}


class Company(Office):
    """Three people in both systems, whom the shadow has met."""

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder)
        self.random, self.story = Random(seed), list[str]()
        self.tool = SecondTool(self.hub, self.crm)
        self.contacts = {
            name: self.hub.by_hand.create({"email": f"{name}@acme.example", "lastname": name, "company": "Acme", "lifecyclestage": "lead"}) for name in NAMES
        }
        status = {"Company": "Acme", "Status": STATUSES[0]}
        self.leads = {name: self.crm.create("Lead", {"Email": f"{name}@acme.example", "LastName": name, **status}) for name in NAMES}
        self.tool.copy()
        self.look()
        self.clock.at += 3600

    def look(self) -> None:
        """The shadow looks."""
        self.clock.at += 60
        with leases.acquire(self.session.store, self.session.workspace, "test"):
            follow(self.session, engine.plan(self.session))
        self.story.append("look")

    def edit(self) -> None:
        """Somebody changes one field of one record."""
        self.clock.at += 61
        here, fields = self.random.choice((("hub", HUBSPOT), ("crm", SALESFORCE)))
        name = self.random.choice(sorted(self.contacts if here == "hub" else self.leads))
        field = self.random.choice(list(fields))
        value = self.random.choice(fields[field])
        self.story.append(f"{here} {name} {field}={value}")
        if here == "hub":
            self.hub.by_hand.edit(self.contacts[name], {field: value})
        else:
            self.crm.edit(self.leads[name], {field: value or None})

    def upheave(self) -> None:
        """Somebody makes, deletes or converts a record."""
        self.clock.at += 61
        deed = self.random.choice(("new contact", "new lead", "delete", "convert"))
        self.story.append(deed)
        name = f"new{len(self.story)}"
        if deed == "new contact":
            self.contacts[name] = self.hub.by_hand.create({"email": f"{name}@acme.example", "lastname": name, "lifecyclestage": "lead"})
        elif deed == "new lead":
            missing = self.random.choice(sorted({*self.contacts, name} - {*self.leads}))
            self.leads[missing] = self.crm.create("Lead", {"Email": f"{missing}@acme.example", "LastName": missing, "Company": "Acme"})
        elif len(self.leads) > 1:
            lead = self.leads.pop(self.random.choice(sorted(self.leads)))
            _ = self.crm.delete(lead) if deed == "delete" else self.crm.convert(lead)

    def rows(self) -> list[ShadowRow]:
        """What the shadow remembers."""
        with self.session.store.read() as tx:
            return list(shadow.each(tx, self.session.workspace))

    def waiting(self) -> Counter[Waiting]:
        """What it says nobody has written yet."""
        return Counter((row.person, row.op, row.account, row.link, row.field, str(row.wanted)) for row in self.rows() if row.verdict == OPEN)

    def owed(self) -> Counter[Waiting]:
        """What a plan of everybody would write."""
        store, workspace = self.session.store, self.session.workspace
        self.clock.at += 1
        with leases.acquire(store, workspace, "test"):
            with store.write() as tx:
                closing.mark_everybody_due(tx, workspace, self.clock.now_ms())
            planned = engine.plan(self.session)
            with store.read() as tx:
                rows = [row for op in ("create", "update", "archive") for row in actions.of_run(tx, planned.run, ("planned",), 0, 1_000, op=op)]
        found = {(row.person or 0, row.op, row.account or 0, row.link, name, str(change[1])) for row in rows for name, change in row.fields.items()}
        return Counter(found | {(row.person or 0, row.op, row.account or 0, row.link, "", "None") for row in rows if row.op != "update"})


@pytest.mark.parametrize("seed", range(2))
def test_what_waits_is_what_would_be_written(tmp_path: Path, seed: int) -> None:
    """After any edits and copies, what is said to wait is what a plan of everybody would write, once each."""
    made = Company(tmp_path, seed)
    for _ in range(12):
        for _ in range(made.random.randrange(3)):
            made.edit()
        if made.random.random() < 0.2:
            made.upheave()
        if made.random.random() < 0.5:
            made.clock.at += 900
            made.tool.copy()
        made.look()
        assert made.waiting() == made.owed(), made.story
    assert not [call for calls in (made.hub.calls, made.crm.calls) for call in calls if call.startswith(("PATCH", "PUT", "DELETE"))]


@pytest.mark.parametrize("seed", range(2))
def test_every_write_of_the_tool_is_told_once(tmp_path: Path, seed: int) -> None:
    """Whatever the tool writes, where we look after each copy, is what became of something that waited, or is told by itself; and so are people's edits."""
    made = Company(tmp_path, seed)
    copied = made.tool.copies
    for _ in range(12):
        made.edit()
        made.look()
        made.clock.at += 900
        made.tool.copy()
        made.look()
    told = [row for row in made.rows() if row.author in (f"integration {BY_TOOL.source_id}", f"user {made.tool.user}")]
    assert len(told) == made.tool.copies - copied, made.story
