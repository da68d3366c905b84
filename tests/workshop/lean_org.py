"""A Salesforce org that has just the answers that a test gives it."""

from __future__ import annotations

from typing import Any

from lean_world import LeanWorld
from salesforce_org import Drawer, Hand, NoLimits, settings

from stagesync.connectors.contract import Ports
from stagesync.connectors.salesforce.connector import SalesforceConnector, open_org
from stagesync.sandbox.base import json_response
from stagesync.sandbox.clients import WorldAdapter
from stagesync.sandbox.wire import Response

V66 = "/services/data/v66.0"
NOT_FOUND = json_response([{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}], 404)
STAMP = "2026-03-05T13:45:00.000+0000"
ONE, TWO, OTHER = "00Q5g000000H0B1EAK", "00Q5g000000H0B2EAK", "00Q5g000000H0B3EAK"
CONTACT, ACCOUNT, USER = "0035g000000H0B1AAK", "0015g000000H0B1AAK", "0055g000000H0B1AAK"


def opened(answers: dict[str, Any], **given: Any) -> SalesforceConnector:
    """The connector to a server that has these answers."""
    said = {path: (lambda _, answer=answer: answer) if isinstance(answer, Response) else answer for path, answer in answers.items()}
    return open_org("crm", settings(**given), Ports(Hand(), NoLimits(), Drawer()), WorldAdapter(LeanWorld(said, NOT_FOUND)))


def row(id: str, **values: Any) -> dict[str, Any]:
    """A row of a query or a read by id."""
    return {"attributes": {"type": "Lead"}, "Id": id, "SystemModstamp": STAMP, "IsDeleted": False, **values}


def page(*rows: dict[str, Any], **more: Any) -> dict[str, Any]:
    """One page of a query, the last one unless it is told otherwise."""
    return {"totalSize": 9, "done": True, "records": list(rows), **more}
