"""What every part of the portal works on: contacts, definitions, owners, opt-outs, habits and the clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from ..clock import WorldClock
from .contacts import Author, Store, Version
from .habits import Habits
from .properties import Catalogue
from .webhooks import Webhooks

APP_ID = 1_234_567
USER_ID = 9_001
IMPORTED = Author("IMPORT", "", None)
BY_USER = Author("CRM_UI", f"userId:{USER_ID}", USER_ID)


@dataclass
class Owner:
    """One user who can own contacts: the owner's id is not the user's id."""

    id: str
    email: str
    first_name: str
    last_name: str
    user_id: int
    archived: bool = False


def _owners() -> list[Owner]:
    return [
        Owner("70101", "ann.berg@example.com", "Ann", "Berg", USER_ID),
        Owner("70102", "ken.mori@example.com", "Ken", "Mori", 9_002),
        Owner("70103", "lea.roth@example.com", "Lea", "Roth", 9_003),
    ]


@dataclass(frozen=True)
class Workflow:
    """Whoever is saved with one of these values of the property gets another: `rewrites` maps one to the other."""

    property: str
    rewrites: Mapping[str, str]


@dataclass
class Portal:
    """One HubSpot account."""

    portal_id: int
    clock: WorldClock
    habits: Habits
    catalogue: Catalogue
    store: Store
    owners: list[Owner] = field(default_factory=_owners)
    optouts: dict[str, int] = field(default_factory=dict[str, int])
    """Address -> when it opted out of everything; belongs to the address, whether a contact has it or not."""
    forms: dict[int, set[str]] = field(default_factory=dict[int, set[str]])
    """Contact -> the names of the forms that it filled in."""
    blocked: set[str] = field(default_factory=set[str])
    """Addresses deleted for privacy before there was a contact."""
    workflows: list[Workflow] = field(default_factory=list[Workflow])
    saved: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    """(when, contact) of what the workflows have not looked at yet."""
    named: set[str] = field(default_factory=set[str])
    """Where lists have said that they go on, for habits that know no other place."""
    app_id: int = APP_ID
    webhooks: Webhooks = field(init=False)
    companies: Any = field(init=False, default=None)
    """The companies of the portal (`companies.Companies`), which look at its contacts themselves."""

    def __post_init__(self) -> None:
        self.webhooks = Webhooks(self.portal_id, self.app_id, self.clock)
        self.store.witness = self._property_changed

    def tell(self, what: str, number: int, author: Author, **more: Any) -> None:
        """Something happened to a contact now: whoever subscribed will hear of it."""
        self.webhooks.tell(what, number, self.now(), author, **more)

    def _property_changed(self, number: int, name: str, version: Version) -> None:
        self.webhooks.tell("propertyChange", number, version.at_ms, version.author, propertyName=name, propertyValue=version.value)

    @property
    def integration(self) -> Author:
        """The author of every write by the API."""
        return Author("INTEGRATION", str(self.app_id))

    def seen(self, names: Iterable[str]) -> list[str]:
        """Those of the properties that are defined and that the credential sees, once each, in order."""
        return [name for name in self.catalogue.known(names) if name not in self.habits.hidden_properties]

    @property
    def lagged(self) -> bool:
        """Whether search follows writes late."""
        return self.habits.search_lag_s > 0

    def enrol(self, number: int) -> None:
        """A contact was saved: the workflows look at it a moment later."""
        if self.workflows:
            self.saved.append((self.now(), number))

    def now(self) -> int:
        """The present moment in this world, in ms."""
        return self.clock.now_ms()

    @property
    def zone(self) -> ZoneInfo:
        """The account's time zone."""
        return ZoneInfo(self.habits.time_zone)

    def details(self) -> dict[str, Any]:
        """The account as /account-info/ shows it."""
        here = datetime.fromtimestamp(self.now() / 1000, self.zone)
        return {
            "portalId": self.portal_id,
            "accountType": "DEVELOPER_TEST",
            "timeZone": self.habits.time_zone,
            "companyCurrency": "USD",
            "additionalCurrencies": [],
            "utcOffset": here.isoformat(timespec="seconds")[-6:],
            "utcOffsetMilliseconds": int((here.utcoffset() or timedelta()).total_seconds() * 1000),
            "uiDomain": "app.hubspot.com",
            "dataHostingLocation": "na1",
        }
