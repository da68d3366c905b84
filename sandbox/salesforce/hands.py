"""Somebody's hands in Salesforce's own screens, in Python. Over HTTP they are under `/_sandbox/hands/`.

What a hand does is a user's doing: `LastModifiedById` is not the integration's. Rules of the screens hold (lengths,
required fields, read-only converted Leads); duplicate and assignment rules do not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..base import BaseWorld, Hand
from ..wire import Request
from .convert import Conversion, Converted, convert
from .errors import Refused
from .fields import NUMBERS, TEXTS, Choice, Field, Row, spaced
from .ids import normalise
from .loading import load
from .merge import merge
from .org import Flow, Org, Strike
from .validate import check_names, cleaned
from .writes import BY_HAND, create, delete, touch, undelete, update

LENGTHS = {"string": 255, "picklist": 255, "multipicklist": 4099, "email": 80, "phone": 40, "url": 255, "textarea": 255, "reference": 18}


class Hands(BaseWorld):
    """The hands on an org. What each takes is in its own docstring."""

    org: Org

    def edit(self, id: str, values: Mapping[str, Any], by: str | None = None) -> None:
        """Change a record. Raises Refused."""
        id = _exact(id)
        kind, _ = self.org.row(id)
        check_names(self.org, self.org.schema.objects[kind], values, by_hand=True)
        cleaned(self.org, self.org.schema.objects[kind], values, creating=False, by_hand=True)
        moment = self.org.moment(by or self.org.somebody)
        self.org.later(lambda: update(self.org, kind, id, values, moment, BY_HAND))

    def create(self, kind: str, values: Mapping[str, Any], by: str | None = None) -> str:
        """Make a record and give its id. Raises Refused."""
        check_names(self.org, self.org.schema.known(kind), values, by_hand=True)
        cleaned(self.org, self.org.schema.objects[kind], values, creating=True, by_hand=True)
        moment, id = self.org.moment(by or self.org.somebody), self.org.store.mint(kind)
        self.org.later(lambda: _drop(create(self.org, kind, values, moment, BY_HAND, id)))
        return id

    def convert(self, lead_id: str, by: str | None = None, **how: Any) -> Converted:
        """Convert a Lead; `how` as the fields of `Conversion`. A Lead of a queue goes to whoever converts it. Raises Refused."""
        user = by or self.org.somebody
        _, lead = self.org.row(_exact(lead_id))
        if "owner" not in how and not str(lead.get("OwnerId")).startswith("005"):
            how["owner"] = user
        return convert(self.org, Conversion(_exact(lead_id), **how), self.org.moment(user))

    def merge(self, winner: str, losers: Sequence[str], values: Mapping[str, Any] | None = None, by: str | None = None) -> None:
        """Merge one or two records into another. Raises Refused."""
        merge(self.org, _exact(winner), [_exact(id) for id in losers], values or {}, self.org.moment(by or self.org.somebody))

    def delete(self, id: str, by: str | None = None) -> None:
        """Put a record in the bin. Raises Refused."""
        id = _exact(id)
        kind, _ = self.org.row(id)
        moment = self.org.moment(by or self.org.somebody)
        self.org.later(lambda: delete(self.org, kind, id, moment))

    def open_opportunity(self, contact: str, stage: str = "Prospecting", by: str | None = None, **values: Any) -> str:
        """Open an Opportunity in which this Contact has the primary role; gives the Opportunity's id. Raises Refused."""
        given = {"Name": "Deal", "StageName": stage, "CloseDate": self.org.now()[:10], **values}
        opportunity = self.create("Opportunity", given, by)
        self.add_role(opportunity, contact, by, IsPrimary=True)
        return opportunity

    def add_role(self, opportunity: str, contact: str, by: str | None = None, **values: Any) -> str:
        """Give a Contact a role in an Opportunity; gives the role's id. Raises Refused."""
        given = {"OpportunityId": opportunity, "ContactId": contact, **values}
        check_names(self.org, self.org.schema.objects["OpportunityContactRole"], given, by_hand=True)
        moment, id = self.org.moment(by or self.org.somebody), self.org.store.mint("OpportunityContactRole")
        self.org.later(lambda: _drop(create(self.org, "OpportunityContactRole", given, moment, BY_HAND, id)))
        return id

    def set_stage(self, opportunity: str, stage: str, by: str | None = None) -> None:
        """Move an Opportunity to another stage. Raises Refused."""
        self.edit(opportunity, {"StageName": stage}, by)

    def drop_role(self, opportunity: str, contact: str, by: str | None = None) -> None:
        """Take a Contact's role in an Opportunity away: it leaves no trace in the bin. Raises Refused."""
        roles = self.org.store.tables["OpportunityContactRole"].find("OpportunityId", [_exact(opportunity)])
        for role in [row for row in roles if row["ContactId"] == _exact(contact)]:
            self.delete(role["Id"], by)

    def bin_opportunity(self, opportunity: str, by: str | None = None) -> None:
        """Put an Opportunity into the bin, and its roles with it. Raises Refused."""
        self.delete(opportunity, by)

    def add_campaign_member(self, person: str, campaign: str, status: str | None = None, by: str | None = None) -> str:
        """Put a Lead or Contact into the campaign of this name, which is there at once if there was none; gives the member's id. Raises Refused."""
        known = next((row["Id"] for row in self.rows("Campaign") if row["Name"] == campaign), None)
        known = known or create(self.org, "Campaign", {"Name": campaign}, self.org.moment(by or self.org.somebody), BY_HAND)
        link = "LeadId" if _exact(person).startswith("00Q") else "ContactId"
        values = {"CampaignId": known, link: _exact(person), "Status": status}
        return self.create("CampaignMember", values, by)

    def respond(self, member: str, by: str | None = None) -> None:
        """Note that a campaign's member has responded: with the first status of the campaign that says so. Raises Refused."""
        _, row = self.org.row(_exact(member))
        listed = self.org.store.tables["CampaignMemberStatus"].find("CampaignId", [row["CampaignId"]])
        self.edit(member, {"Status": next(each["Label"] for each in listed if each["HasResponded"])}, by)

    def undelete(self, id: str, by: str | None = None) -> None:
        """Take a record out of the bin. Raises Refused."""
        id = _exact(id)
        kind, _ = self.org.row(id)
        moment = self.org.moment(by or self.org.somebody)
        self.org.later(lambda: undelete(self.org, kind, id, moment))

    def purge(self, id: str) -> None:
        """Empty a record out of the bin: nobody finds it any more, not even queryAll."""
        kind, row = self.org.row(_exact(id))
        if not row.get("IsDeleted"):
            raise ValueError(f"{id} is not in the bin")
        self.org.store.remove(kind, row["Id"])

    def touch(self, ids: Iterable[str]) -> None:
        """Internal automation moves SystemModstamp, and nothing else, of these records."""
        for id in ids:
            touch(self.org, _exact(id), self.org.moment())

    def recalculate(self, id: str, values: Mapping[str, Any]) -> None:
        """A formula gives other values: they change, and no stamp moves (Salesforce Object Reference, System Fields)."""
        kind, row = self.org.row(_exact(id))
        check_names(self.org, self.org.schema.objects[kind], values, by_hand=True)
        self.org.store.put(kind, {**row, **values})

    def define(
        self, kind: str, name: str, label: str = "", type: str = "string", *, options: Iterable[str] = (), converts_to: str | None = None, **flags: Any
    ) -> None:
        """Add a custom field. `flags`: attributes of `Field`, such as length, unique, external_id, case_sensitive, restricted, precision, scale, refers_to."""
        if not name.endswith("__c"):
            raise ValueError(f"{name}: the API name of a custom field ends in __c")
        attributes: dict[str, Any] = {
            "length": LENGTHS.get(type, 0),
            **({"precision": 18} if type in NUMBERS else {}),
            **flags,
            "choices": tuple(Choice(one, one) for one in options),
        }
        if attributes.get("calculated"):
            attributes |= {"creatable": False, "updatable": False}
        if type == "boolean":
            attributes |= {"nillable": False, "defaulted": True}
        if type == "reference":
            attributes |= {"refers_to": tuple(attributes.get("refers_to", ())), "relationship": name.removesuffix("c") + "r"}
        if (attributes.get("external_id") or attributes.get("unique")) and type not in TEXTS:
            raise ValueError(f"{name}: in the sandbox only text and e-mail can be unique or an external id")
        attributes["id_lookup"] = bool(attributes.get("external_id"))
        self.org.schema.define(kind, Field(name, label or spaced(name), type, custom=True, **attributes), converts_to)
        self.org.metadata_changed = self.org.now()

    def flow(self, kind: str, field: str, rewrites: Mapping[str, Any]) -> None:
        """Switch on a flow: whatever is saved from now on, by whomever, with one of these values gets the other a moment later. Raises Refused."""
        check_names(self.org, self.org.schema.known(kind), {field: None})
        self.org.flows.append(Flow(kind, field, dict(rewrites)))

    def load(self, kind: str, rows: Iterable[Mapping[str, Any]]) -> list[str]:
        """Insert many records past every rule of the API; gives their ids."""
        return load(self.org, kind, rows)

    def rows(self, kind: str) -> Iterator[Row]:
        """Every live record of an object, nulls left out."""
        return (row for row in self.org.store.tables[kind].rows.values() if not row.get("IsDeleted"))

    def fail_rows(self, code: str, message: str = "", times: int = 1, kind: str | None = None, ids: Iterable[str] = ()) -> None:
        """Let the next writes of rows fail, each in its own result: UNABLE_TO_LOCK_ROW, FIELD_CUSTOM_VALIDATION_EXCEPTION ..."""
        message = message or {"UNABLE_TO_LOCK_ROW": "unable to obtain exclusive access to this record"}.get(code, code)
        self.org.strikes.append(Strike(code, message, times, kind, frozenset(_exact(id) for id in ids)))

    def over_http(self) -> dict[str, Hand]:
        """The hands by the name of their path: each takes the posted JSON as its arguments."""
        return {
            "hands/edit": lambda posted: _nothing(self.edit(**posted)),
            "hands/create": lambda posted: {"id": self.create(**posted)},
            "hands/convert": self._convert,
            "hands/merge": lambda posted: _nothing(self.merge(**posted)),
            "hands/delete": lambda posted: _nothing(self.delete(**posted)),
            "hands/open-opportunity": lambda posted: {"id": self.open_opportunity(**posted)},
            "hands/add-role": lambda posted: {"id": self.add_role(**posted)},
            "hands/set-stage": lambda posted: _nothing(self.set_stage(**posted)),
            "hands/drop-role": lambda posted: _nothing(self.drop_role(**posted)),
            "hands/bin-opportunity": lambda posted: _nothing(self.bin_opportunity(**posted)),
            "hands/add-campaign-member": lambda posted: {"id": self.add_campaign_member(**posted)},
            "hands/respond": lambda posted: _nothing(self.respond(**posted)),
            "hands/undelete": lambda posted: _nothing(self.undelete(**posted)),
            "hands/restore": lambda posted: _nothing(self.undelete(**posted)),
            "hands/purge": lambda posted: _nothing(self.purge(**posted)),
            "hands/touch": lambda posted: _nothing(self.touch(**posted)),
            "hands/recalculate": lambda posted: _nothing(self.recalculate(**posted)),
            "hands/define": lambda posted: _nothing(self.define(**posted)),
            "hands/flow": lambda posted: _nothing(self.flow(**posted)),
            "hands/load": lambda posted: {"ids": self.load(**posted)},
            "hands/habits": lambda posted: _nothing(self.org.change_habits(posted)),
            "hands/fail-rows": lambda posted: _nothing(self.fail_rows(**posted)),
        }

    def records(self, request: Request) -> list[Row]:
        """GET `/_sandbox/records?kind=Lead`: every live record."""
        self.org.commit_due()
        return list(self.rows(request.arg("kind", "Lead")))

    def _convert(self, posted: Mapping[str, Any]) -> dict[str, Any]:
        given = dict(posted)
        made = self.convert(str(given.pop("id", None) or given.pop("lead_id")), **given)
        return {"account": made.account, "contact": made.contact, "opportunity": made.opportunity}


def _nothing(done: None) -> dict[str, Any]:
    return {}


def _drop(id: str) -> None:
    """The id is known already."""


def _exact(id: str) -> str:
    found = normalise(id)
    if found is None:
        raise Refused("MALFORMED_ID", f"malformed id {id}")
    return found
