"""One open Salesforce org: the contract, answered by the parts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ...model.companies import By, Company, Found
from ...model.records import Native, Observation, Page, Query, Record, Ref
from ...model.writes import Outcome, Step, Write
from ..companies import Known
from ..contract import AccountId, Bulk, Capabilities, Ports, SystemDescription, Tier, Usage
from ..hints import Hints
from . import bulk, evidence, jobs
from . import companies as accounts
from . import describe as describing
from . import fetch as fetching
from . import pull as pulling
from . import write as writing
from .client import Client
from .history import HISTORY_REACH, histories
from .rows import OBJECTS, id18
from .settings import SalesforceSettings

if TYPE_CHECKING:
    from requests.adapters import HTTPAdapter

_NAMELESS = "the org does not tell its id to this user: it is recognised by its address. Let the user read Organization, or give the app the scope `openid`"
_TIERS = (
    Tier("Developer", 15_000),
    Tier("Enterprise, Professional with API (and 1,000 for each licence)", 100_000),
    Tier("Unlimited, Performance (and 5,000 for each licence)", 100_000),
    Tier("Full sandbox", 5_000_000),
)
"""Calls in any 24 hours; how many in a second is not limited (Salesforce docs, API Request Limits and Allocations)."""
_READ_FROM = 25
"""So many times as many records as are written by a job are read by one: a query gives 2,000 a call, and a job costs some calls before its first row."""
_LANDING_S = 600.0
"""How long a run waits for the jobs of one before it; a later one goes on waiting."""
_ORG_IN_TOKEN = re.compile(r"(00D\w{12})!")


class SalesforceConnector:
    """Leads and Contacts of one org as records. Used from one thread."""

    def __init__(self, client: Client, settings: SalesforceSettings, hints: Hints) -> None:
        self._client = client
        self._hints = hints
        self._settings = settings
        self._identity: AccountId | None = None
        self._converted: frozenset[str] | None = None
        self._keyed: dict[str, bool] = {}
        self._job: bool | None = None
        self._accounts: accounts.Accounts | None = None
        self._companies = Known(accounts.LINK)
        key = settings.external_id_field
        unique = frozenset({key} if key else ())
        self.capabilities = Capabilities(
            writing.batch,
            fetching.COLLECTION,
            history=HISTORY_REACH,
            unique=unique,
            unfed=frozenset(evidence.FIELDS),
            lands_s=client.line.patience.lands_s,
            tiers=_TIERS,
            bulk=_bulk(settings),
        )

    def identity(self) -> AccountId:
        """The org and our own user in it; asked once."""
        if self._identity is None:
            self._identity = _identity(self._client)
        return self._identity

    def describe(self) -> SystemDescription:
        """Fields, options and rights of Lead and Contact."""
        found = describing.describe(self._client, self._settings)
        status = found.kinds["lead"].fields.get("Status")
        self._converted = frozenset(option.value for option in status.options if option.done) if status else frozenset()
        if self._identity is not None and self._identity.id == self._client.host:
            found = replace(found, findings=(*found.findings, _NAMELESS))
        return found

    def pull(self, query: Query) -> Iterator[Page]:
        """What messages hint at, then Contacts, Leads, events. Deletions and merges come with the changes, so that `sweep` has nothing to add."""

        def polled(query: Query) -> Iterator[Page]:
            return pulling.pull(self._client, query, self._settings.overlap_s, lambda: self.identity().zone, _READ_FROM * self._settings.bulk_from)

        return self._hints.then(query, self.fetch, polled)

    def fetch(self, refs: Sequence[Ref], fields: Mapping[str, tuple[str, ...]], history: tuple[str, ...] = ()) -> Sequence[Observation]:
        """Read these records now, with the versions of the `history` fields that the org tracks."""
        known: dict[str, fetching.Histories] = {}
        if history:
            own = self.identity().own_actor
            for kind in OBJECTS:
                ids = [ref.id for ref in refs if ref.kind == kind]
                known[kind] = histories(self._client, kind, ids, history, own) if ids else {}
        return fetching.fetch(self._client, refs, fields, known)

    def find(self, kind: str, key: str, values: Sequence[str], fields: tuple[str, ...]) -> Sequence[Record]:
        """All live records with this key, converted Leads left out."""
        return fetching.find(self._client, kind, key, values, fields)

    def expand(self, write: Write) -> Sequence[Step]:
        """One step: Salesforce takes every value in one go. What a status means is asked here, not between the last look at a record and the write to it."""
        if _touches_status(write.kind, write.values):
            self._converted_statuses()
        return (Step(write.id, 1, write.operation, write.kind, write.ref, write.values),)

    def write(self, steps: Sequence[Step]) -> Sequence[Outcome]:
        """Send the steps in one collection, or many by a job. What is raised is raised before anything is sent, or says that nothing was done."""
        if not steps:
            return []
        first = steps[0]
        touches_status = any(_touches_status(step.kind, step.values) for step in steps)
        upsert = first.operation == "create" and self._is_keyed(first.kind)
        converted = self._converted_statuses() if touches_status else frozenset[str]()
        many = self.capabilities.bulk is not None and len(steps) >= self.capabilities.bulk.least
        return writing.write(self._client, steps, self._settings, upsert=upsert, converted=converted, job=many and self._has_jobs())

    def companies(self, wanted: Sequence[Company], by: By, *, make: bool) -> Sequence[Found]:
        """The Account of each company. One that was found or made is not looked for again."""
        if self._accounts is None:
            self._accounts = accounts.rights(self._client)
        headers = writing.headers(self._settings) if make else None
        return self._companies.ask(wanted, by, lambda asked: accounts.companies(self._client, self._accounts, asked, by, headers))

    def landed(self) -> bool:
        """Wait for our jobs, whoever set them going."""
        return jobs.all_ended(self._client, self.identity().own_actor, _LANDING_S)

    def usage(self) -> Usage:
        """Counters since the connector was opened."""
        return self._client.line.meter.usage()

    def close(self) -> None:
        """Give back connections."""
        self._client.close()
        self._hints.close()

    def _has_jobs(self) -> bool:
        """Asked once: whoever may not see its jobs must not have any, since a run that breaks off leaves them to be found by the next."""
        if self._job is None:
            self._job = jobs.are_open(self._client)
        return self._job

    def _converted_statuses(self) -> frozenset[str]:
        if self._converted is None:
            self._converted = frozenset(option.value for option in describing.lead_statuses(self._client) or () if option.done)
        return self._converted

    def _is_keyed(self, kind: str) -> bool:
        """Whether creates of this kind can carry our key: asked once, and only if a field for it is configured."""
        key = self._settings.external_id_field
        if key is None:
            return False
        if kind not in self._keyed:
            self._keyed[kind] = describing.usable_key(self._client.description(OBJECTS[kind]), key)
        return self._keyed[kind]


def _bulk(settings: SalesforceSettings) -> Bulk | None:
    """A job runs no assignment rule unless it names one, and has no word for saving what a duplicate rule alerts of (Bulk API 2.0, Create a Job)."""
    return None if settings.auto_assign or settings.save_duplicates else Bulk(settings.bulk_from, max(settings.bulk_from, bulk.MOST), bulk.CALLS)


def _touches_status(kind: str, values: Mapping[str, Native]) -> bool:
    return kind == "lead" and "Status" in values


def open_org(system: str, settings: SalesforceSettings, ports: Ports, adapter: HTTPAdapter | None = None) -> SalesforceConnector:
    """The connector for one org; makes no call. `adapter` takes the place of the network."""
    inbox = ports.inbox if settings.hook_secrets else None
    return SalesforceConnector(Client(system, settings, ports, adapter), settings, Hints(inbox, system, ports.clock))


def _identity(client: Client) -> AccountId:
    """Org id, name and zone from Organization, our user from the token's own answer or from userinfo. Either may be closed to this user; an org that tells
    its id nowhere is known by its My Domain address, which no other org has (Salesforce Help, My Domain).

    Organization is asked first: a token that is expired shows there as 401 and is renewed, while userinfo says 403 to it.
    """
    org = _organization(client, "Id,Name,TimeZoneSidKey")
    token, seen = client.session.token(), client.session
    user = (None if seen.user else client.allowed("/services/oauth2/userinfo")) or {}
    in_token = _ORG_IN_TOKEN.match(token.reveal())
    id = org.get("Id") or seen.org or user.get("organization_id") or (in_token.group(1) if in_token else None)
    if not id:  # name or zone may be what was refused
        id = _organization(client, "Id").get("Id")
    zone = str(org.get("TimeZoneSidKey") or user.get("zoneinfo") or "UTC")
    named = id18(str(id)) if id else client.host
    own = seen.user or user.get("user_id")
    return AccountId("salesforce", named, str(org.get("Name") or ""), zone, id18(str(own)) if own else None)


def _organization(client: Client, names: str) -> Mapping[str, Any]:
    found = client.open_rows(f"SELECT {names} FROM Organization")
    return found[0] if found else {}
