"""The org: its metadata, records, habits and users, shared by every part of the Salesforce world."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from typing import Any

from ..clock import WorldClock
from . import stamps
from .errors import Refused, refused_row
from .fields import Choice, Row
from .habits import Habits
from .rows import Store
from .schema import Schema
from .soql_run import Runner
from .standard import standard_objects

LEAD_STATUSES: tuple[tuple[str, bool], ...] = (
    ("Open - Not Contacted", False),
    ("Marketing Qualified", False),
    ("Working - Contacted", False),
    ("Sales Qualified", False),
    ("Closed - Converted", True),
    ("Closed - Not Converted", False),
)
"""Label and whether it means converted; the first is the default. Two of them are what most companies add to Salesforce's own."""

STAGES: tuple[tuple[str, int, bool, bool, str], ...] = (
    ("Prospecting", 10, False, False, "Pipeline"),
    ("Qualification", 10, False, False, "Pipeline"),
    ("Needs Analysis", 20, False, False, "Pipeline"),
    ("Value Proposition", 50, False, False, "Pipeline"),
    ("Id. Decision Makers", 60, False, False, "Pipeline"),
    ("Perception Analysis", 70, False, False, "Pipeline"),
    ("Proposal/Price Quote", 75, False, False, "Pipeline"),
    ("Negotiation/Review", 90, False, False, "Pipeline"),
    ("Closed Won", 100, True, True, "Closed"),
    ("Closed Lost", 0, True, False, "Omitted"),
)
"""Label, probability, closed, won, forecast category."""

Workflow = Callable[[str, Row], Mapping[str, Any]]
"""Automation of the org's own: is given the object and the row about to be saved, gives the fields it changes."""


@dataclass(frozen=True)
class Flow:
    """A flow of the org's own that runs a moment after a row was saved: `rewrites` maps a field's value to the one that it gets."""

    kind: str
    field: str
    rewrites: Mapping[str, Any]


@dataclass(frozen=True)
class Moment:
    """When a change happens, and by whom."""

    stamp: str
    user: str


@dataclass
class Strike:
    """A planned failure of single rows: the next `times` writes to matching records fail with `code`."""

    code: str
    message: str
    times: int = 1
    kind: str | None = None
    ids: frozenset[str] = frozenset()


class Org:
    """One org's state. Everything that changes records goes through `writes`, `convert` and `merge`."""

    def __init__(self, org_id: str, clock: WorldClock, habits: Habits, lead_statuses: Sequence[tuple[str, bool]]) -> None:
        self.org_id = org_id
        self.clock = clock
        self.habits = habits
        self.schema = Schema(
            standard_objects(),
            lambda: self.habits.hidden_fields,
            lambda: self.habits.locked_fields,
            lambda: self.habits.hidden_objects,
            lambda: self.habits.audit_fields,
        )
        self.store = Store(self.schema.objects.values(), self.id_key)
        self._queries = 0
        self.runner = Runner(self.schema, self.store, lambda: self.id_key, self._every_other, lambda: self.habits.hidden_records)
        self.workflows: list[Workflow] = []
        self.flows: list[Flow] = []
        self.strikes: list[Strike] = []
        self._late: list[tuple[int, Callable[[], None]]] = []
        self.integration = self.admin = self.somebody = self.queue = ""
        self._populate(lead_statuses)
        self.metadata_changed = self.now()

    def id_key(self, id: str) -> str:
        """What ids are sorted by; its own inverse."""
        return id if self.habits.ids_sort == "capitals first" else id.swapcase()

    def change_habits(self, changes: Mapping[str, Any]) -> None:
        """Switch habits by name; lists become sets where the habit is one. Raises ValueError for an unknown name."""
        unknown = sorted(set(changes) - {one.name for one in fields(Habits)})
        if unknown:
            raise ValueError(f"no such habit: {', '.join(unknown)}")
        known = {name: frozenset(value) if isinstance(getattr(self.habits, name), frozenset) else value for name, value in changes.items()}
        self.habits = replace(self.habits, **known)
        self.store.reorder(self.id_key)
        self.metadata_changed = self.now()

    def now(self) -> str:
        """The present moment, in whole seconds."""
        return stamps.of_ms(self.clock.now_ms())

    def moment(self, user: str | None = None) -> Moment:
        """Now, by this user; by the integration if none is named."""
        return Moment(self.now(), user or self.integration)

    def later(self, action: Callable[[], None]) -> None:
        """Do it now, or once the commit lag is over: the change then carries a stamp older than what has been read meanwhile."""
        if self.habits.commit_lag_s <= 0:
            action()
        else:
            self._late.append((self.clock.now_ms() + int(self.habits.commit_lag_s * 1000), action))

    def soon(self, action: Callable[[], None]) -> None:
        """Do it a moment after this one."""
        self._late.append((self.clock.now_ms() + 1, action))

    def commit_due(self) -> None:
        """Let every change become visible whose time has come."""
        if not self._late:
            return
        now = self.clock.now_ms()
        due = [action for at, action in self._late if at <= now]
        self._late = [one for one in self._late if one[0] > now]
        for action in due:
            with suppress(Refused):  # somebody's change that is refused when it commits leaves nothing behind
                action()

    def strike(self, kind: str, id: str | None) -> None:
        """Raise the planned failure for this row, if there is one."""
        for planned in self.strikes:
            if planned.kind not in {None, kind} or (planned.ids and id not in planned.ids):
                continue
            planned.times -= 1
            if planned.times <= 0:
                self.strikes.remove(planned)
            raise refused_row(planned.code, planned.message)

    def row(self, id: str) -> tuple[str, Row]:
        """The object and row of an id, deleted or not. Raises NOT_FOUND."""
        sobject = self.schema.of_id(id)
        found = self.store.tables[sobject.name].rows.get(id) if sobject else None
        if sobject is None or found is None:
            raise Refused("NOT_FOUND", "The requested resource does not exist", status=404)
        return sobject.name, found

    def check_shared(self, id: str) -> None:
        """Refuse what the integration user would do to a record that is not shared with it."""
        if id in self.habits.hidden_records:
            raise refused_row("INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", f"insufficient access rights on cross-reference id: {id[:15]}")

    def status_choices(self) -> tuple[Choice, ...]:
        """Lead.Status as LeadStatus has it."""
        rows = sorted(self.store.tables["LeadStatus"].rows.values(), key=lambda row: row["SortOrder"])
        return tuple(Choice(row["ApiName"], row["MasterLabel"], True, row["IsDefault"]) for row in rows)

    def stage_choices(self) -> tuple[Choice, ...]:
        """Opportunity.StageName as OpportunityStage has it."""
        rows = sorted(self.store.tables["OpportunityStage"].rows.values(), key=lambda row: row["SortOrder"])
        return tuple(Choice(row["ApiName"], row["MasterLabel"], row["IsActive"]) for row in rows)

    def _every_other(self) -> bool:
        self._queries += 1
        return self.habits.vary_order and self._queries % 2 == 1

    def plant(self, kind: str, values: Mapping[str, Any]) -> str:
        """Put a row in the store as it is, with the system fields filled in."""
        id = values.get("Id") or self.store.mint(kind)
        by = self.integration or id
        moment = self.now()
        system = {"CreatedDate": moment, "CreatedById": by, "LastModifiedDate": moment, "LastModifiedById": by, "SystemModstamp": moment}
        sobject = self.schema.objects[kind]
        self.store.put(kind, {**sobject.defaults, **{name: value for name, value in system.items() if name in sobject.fields}, **values, "Id": id})
        return id

    def _populate(self, lead_statuses: Sequence[tuple[str, bool]]) -> None:
        self.integration = self._user("integration@sandbox.example", "Integration", "User")
        self.admin = self._user("admin@sandbox.example", "Alex", "Admin")
        self.somebody = self._user("riley@sandbox.example", "Riley", "Rep")
        self.queue = self.plant("Group", {"Name": "Inbound Leads", "DeveloperName": "Inbound_Leads", "Type": "Queue"})
        self.plant(
            "Organization",
            {"Id": self.org_id, "Name": "Sandbox Org", "InstanceName": "SBX1", "IsSandbox": True, "OrganizationType": "Developer Edition", **LOCALE},
        )
        for order, (label, converted) in enumerate(lead_statuses, 1):
            self.plant("LeadStatus", {"MasterLabel": label, "ApiName": label, "SortOrder": order, "IsDefault": order == 1, "IsConverted": converted})
        for order, (label, probability, closed, won, forecast) in enumerate(STAGES, 1):
            flags = {"IsActive": True, "IsClosed": closed, "IsWon": won, "DefaultProbability": float(probability)}
            self.plant(
                "OpportunityStage",
                {"MasterLabel": label, "ApiName": label, "SortOrder": order, "ForecastCategory": forecast, "ForecastCategoryName": forecast, **flags},
            )
        self.schema.choices[("Lead", "Status")] = self.status_choices
        self.schema.choices[("Opportunity", "StageName")] = self.stage_choices

    def _user(self, email: str, first: str, last: str) -> str:
        return self.plant(
            "User",
            {
                "Username": email,
                "Email": email,
                "FirstName": first,
                "LastName": last,
                "Name": f"{first} {last}",
                "Alias": first[:8].lower(),
                "UserType": "Standard",
            },
        )


LOCALE = {"DefaultLocaleSidKey": "en_US", "TimeZoneSidKey": "Europe/Berlin", "LanguageLocaleKey": "en_US"}
