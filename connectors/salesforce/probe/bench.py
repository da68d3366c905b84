"""Throw-away records: made under a name that nobody has, found again by it, and deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from ....model.errors import StagesyncError
from ...manners import Answer, plain
from ...probing import Untold
from ..client import Client
from ..describe import lead_statuses
from ..errors import Refusal, refusal, whole_refusal
from ..rows import Row
from ..soql import name, select, text
from . import soap

IN_THE_BIN = "its records, in the recycle bin for 15 days"
_NAMES = {"Campaign": "Name", "Opportunity": "Name", "Lead": "LastName", "Contact": "LastName", "Account": "Name"}
"""Object -> the field by which its throw-away records are found, in the order in which they are deleted. What stands between two of them goes with them."""
_CLOSES_IN = timedelta(days=30)
_MOST = 200
"""So many records are deleted in one call (REST API Developer Guide, sObject Collections)."""
_ALONE = {"Sforce-Auto-Assign": "FALSE", "Sforce-Duplicate-Rule-Header": "allowSave=true"}
"""No assignment rule gives a throw-away Lead to somebody, and no rule against duplicates (of type Alert) stops it."""


class Rows:
    """The records of one experiment. The token is in every name."""

    def __init__(self, client: Client, token: str) -> None:
        self.client = client
        self.clock = client.clock
        self.token = token
        self._made: list[str] = []
        self._leads = 0

    @property
    def name(self) -> str:
        """The last name or name of all records of this experiment."""
        return f"stagesync probe {self.token}"

    def lead_values(self, **values: Any) -> Row:
        """The values of a new Lead. `example.com` belongs to nobody (RFC 2606)."""
        self._leads += 1
        address = f"stagesync-probe-{self.token}-{self._leads}@example.com"
        return {"LastName": self.name, "FirstName": str(self._leads), "Company": f"{self.name} {self._leads}", "Email": address, **values}

    def lead(self, **values: Any) -> str:
        """Make a Lead; gives its id. Raises `Untold` where it is refused."""
        return self.made("Lead", self.lead_values(**values))

    def convertible(self, **values: Any) -> str:
        """Make a Lead that becomes a Contact and an Account of our name; gives its id. Raises `Untold` where it is refused."""
        return self.lead(Company=self.name, **values)

    def account(self) -> str:
        """Make an Account; gives its id. Raises `Untold` where it is refused."""
        return self.made("Account", {"Name": self.name})

    def contact(self, account: str) -> str:
        """Make a Contact; gives its id. Raises `Untold` where it is refused."""
        return self.made("Contact", {"LastName": self.name, "AccountId": account})

    def role(self, account: str, contact: str) -> str:
        """Give a Contact a role in a new opportunity; gives the role's id. Raises `Untold` where it is refused."""
        stages = self.client.rows(select(("ApiName",), "OpportunityStage", "IsActive = true", "SortOrder"), ("ApiName",))
        if not stages:
            raise Untold("this org shows no stage for opportunities")
        closes = datetime.fromtimestamp(self.clock.now_ms() / 1000, UTC) + _CLOSES_IN
        values = {"Name": self.name, "AccountId": account, "StageName": stages[0]["ApiName"], "CloseDate": closes.date().isoformat()}
        return self.made("OpportunityContactRole", {"OpportunityId": self.made("Opportunity", values), "ContactId": contact})

    def converted(self, lead: str, *, account: str = "", contact: str = "") -> None:
        """Convert a Lead, into these records where they are given. Raises `Untold` where that is refused."""
        status = next((option.label for option in lead_statuses(self.client) or () if option.done), None)
        if status is None:
            raise Untold("this org shows no status for converted Leads")
        self._made += ["Contact", "Account"]
        soap.convert(self.client, lead, status, account=account, contact=contact)

    def merged(self, winner: str, loser: str) -> None:
        """Merge two records. Raises `Untold` where that is refused."""
        soap.merge(self.client, winner, loser)

    def campaign(self) -> str:
        """Make a campaign; gives its id. Raises `Untold` where it is refused."""
        return self.made("Campaign", {"Name": self.name})

    def made(self, kind: str, values: Mapping[str, Any]) -> str:
        """Make one record; gives its id. Raises `Untold` where it is refused."""
        answer = self.answer(kind, values, _ALONE)
        if not answer.ok:
            raise _refused(whole_refusal(answer))
        return str(answer.data["id"])

    def answer(self, kind: str, values: Mapping[str, Any], headers: Mapping[str, str]) -> Answer:
        """What the org says to a new record, made or refused."""
        self._made.append(kind)  # before the call, whose answer may be lost
        answer = self.client.call("POST", f"sobjects/{kind}", values, repeatable=False, changes=True, headers=headers)
        if not answer.ok:
            self._made.remove(kind)
        return answer

    def many(self, rows: Sequence[Mapping[str, Any]]) -> Answer:
        """Make several Leads in one call; the answer, refused or not."""
        self._made.append("Lead")
        body = {"allOrNone": False, "records": [{"attributes": {"type": "Lead"}, **row} for row in rows]}
        return self.client.call("POST", "composite/sobjects", body, repeatable=False, changes=True, headers=_ALONE)

    def many_made(self, rows: Sequence[Mapping[str, Any]]) -> list[str]:
        """Make several Leads; gives their ids. Raises `Untold` where one is refused."""
        answer = self.many(rows)
        if not answer.ok:
            raise _refused(whole_refusal(answer))
        for error in (error for row in answer.data for error in row.get("errors") or ()):
            raise _refused(refusal(error))
        return [str(row["id"]) for row in answer.data]

    def patch(self, lead: str, values: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Answer:
        """Change a Lead; the answer, refused or not."""
        return self.client.call("PATCH", f"sobjects/Lead/{lead}", values, repeatable=True, changes=True, headers={**_ALONE, **(headers or {})})

    def shown(self, id: str, *names: str, kind: str = "Lead") -> Row:
        """These fields of a record as they are now."""
        told = self.client.read("GET", f"sobjects/{kind}/{id}?fields={','.join(names)}")
        return {name: told.get(name) for name in names}

    def outwait(self) -> None:
        """As long as a request of ours may be on its way."""
        self.clock.sleep(self.client.line.patience.lands_s)

    def clear(self) -> str:
        """Delete every record that was made, or may have been: two calls an object."""
        return "; ".join(left for kind in _NAMES if kind in self._made and (left := self._left(kind)))

    def _left(self, kind: str) -> str:
        try:
            gone, why = self._cleared(kind), "Salesforce refuses to delete them"
        except StagesyncError as error:
            gone, why = False, error.what
        return "" if gone else f'records of {kind} with the {_NAMES[kind]} "{self.name}" may be left: {why}'

    def _cleared(self, kind: str) -> bool:
        ids = [row["Id"] for row in self.client.rows(select(("Id",), kind, f"{name(_NAMES[kind])} = {text(self.name)}"), ("Id",))][:_MOST]
        if not ids:
            return True
        path = f"composite/sobjects?allOrNone=false&ids={','.join(ids)}"
        answer = self.client.call("DELETE", path, repeatable=True, changes=True)
        return answer.ok and all(row.get("success") for row in answer.data)


def _refused(found: Refusal) -> Untold:
    return Untold(f"the org refuses what the experiment needs: {found.code}: {plain(found.message)}")
