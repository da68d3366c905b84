"""Somebody who stands before a Salesforce org and refuses some of its queries, as orgs do that are strange, huge, or not quite Salesforce."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from doors import Door

from stagesync.sandbox.base import json_response
from stagesync.sandbox.wire import Request, Response

SHAPES = {
    "related": lambda query: " FROM OpportunityContactRole" in query and " OR " in query,
    "all roles": lambda query: "ORDER BY Id" in query and " FROM OpportunityContactRole" in query,
    "roles": lambda query: " FROM OpportunityContactRole" in query,
    "deals": lambda query: " FROM Opportunity " in query,
    "lookup": lambda query: "WHERE ContactId IN" in query,
    "members": lambda query: " FROM CampaignMember" in query,
}
"""What may be refused, by the shape of the query."""


@dataclass
class Stubborn(Door):
    """With a will of its own. `refuses`: names of `SHAPES`; `code`, `status`: how; `asked`: the queries that came."""

    refuses: frozenset[str] = frozenset()
    code: str = "MALFORMED_QUERY"
    status: int = 400
    asked: list[str] = field(default_factory=list[str])

    def answer(self, request: Request, fault: Any = None) -> Response:
        """The world's answer, or a no."""
        query = request.arg("q") if request.path.rstrip("/").endswith(("/query", "/queryAll")) else ""
        if query:
            self.asked.append(query)
        if any(SHAPES[name](query) for name in self.refuses):
            return json_response([{"errorCode": self.code, "message": "no such thing here"}], self.status)
        return super().answer(request, fault)
