"""Companies: the records to which contacts are linked, looked for by domain or name and made where that is allowed.

Neither domain nor name is unique to the API (HubSpot docs, Companies guide: the domain is by what HubSpot itself avoids duplicates), and a company is found by
search alone, which lags ("a few moments"; right after 32 s in a public recording; HubSpot docs, Search the CRM). So a company that was made is not used
before search shows it: whoever asks again, after a kill too, finds it. The rows that wait for it are on record as sent all that time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from ...model.companies import By, Company, Found, Linked, host_of
from ...model.spelling import firm
from ...model.writes import Deferred, Rejected
from ..companies import Candidate, choose, missing
from ..manners import MaybeDone, NotDone
from ..packing import packed
from .client import Client
from .errors import Forbidden, body, named, objects, rejection
from .listing import following
from .read import BATCH
from .rows import shaped

LINK = "associatedcompanyid"
"""The contact's property that shows its primary company (HubSpot Knowledge Base, "HubSpot's default contact properties"). It is written by associating."""

_ROOM = 2_600
"""Bytes of values in one search, whose whole body may have 3,000 characters (HubSpot docs, Search the CRM)."""
_VALUES = 100
_PAGE = 200
_SHOWN_S = 60.0
_LOOK_S = 2.0
_RETRY_S = 60.0


def companies(client: Client, wanted: Mapping[str, Company], by: By, *, make: bool) -> dict[str, Found]:
    """The record of each company. Without the scopes for companies each is refused, and nobody is kept from being written."""
    try:
        found = _looked_up(client, wanted, by)
        absent = missing(wanted, found) if make else {}
        return found | (_made(client, absent, by) if absent else {})
    except Forbidden as error:
        return dict.fromkeys(wanted, Rejected("MISSING_SCOPES", error.what, LINK))


def _looked_up(client: Client, wanted: Mapping[str, Company], by: By) -> dict[str, Found]:
    """IN takes lower-case values only (HubSpot docs, Search the CRM), and compares whole ones."""
    found: dict[str, Candidate] = {}
    asked = dict.fromkeys(value for company in wanted.values() for value in _values(company, by))
    for values in packed(((value, len(orjson.dumps(value)) + 1) for value in asked), _ROOM, _VALUES):
        for row in _searched(client, {"propertyName": by, "operator": "IN", "values": values}):
            name, domain = (str(row["properties"].get(each) or "") for each in ("name", "domain"))
            found[row["id"]] = Candidate(row["id"], name, host_of(domain), {LINK: row["id"]})
    return choose(wanted, found.values(), by, LINK)


def _searched(client: Client, asked: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    after: str | None = "0"
    while True:
        page = {"filterGroups": [{"filters": [asked]}], "sorts": [], "properties": ["name", "domain"], "limit": _PAGE, "after": after}
        told = client.search_companies(page)
        yield from shaped(told.get("results"), where=client.system)
        before, after = after, following(told)
        if after in (None, before):
            return


def _values(company: Company, by: By) -> Iterator[str]:
    if by == "domain":
        yield from (str(company.domain), f"www.{company.domain}")
    else:
        yield from (company.name.lower(), firm(company.name))


def _made(client: Client, missing: Mapping[str, Company], by: By) -> dict[str, Found]:
    keys, found = list(missing), dict[str, Found]()
    for start in range(0, len(keys), BATCH):
        found |= _sent(client, {key: missing[key] for key in keys[start : start + BATCH]})
    return found | _shown(client, {key: missing[key] for key, each in found.items() if not isinstance(each, Rejected)}, by)


def _shown(client: Client, made: Mapping[str, Company], by: By) -> dict[str, Found]:
    """What search shows of these, once it shows all of them, or after a minute: of what was made, and of what may have been made where the answer was lost."""
    until, left, found = client.clock.monotonic() + _SHOWN_S, dict(made), dict[str, Found]()
    while left:
        found |= {key: each for key, each in _looked_up(client, left, by).items() if isinstance(each, Linked)}
        left = {key: company for key, company in left.items() if key not in found}
        if not left or client.clock.monotonic() >= until:
            break
        client.clock.sleep(_LOOK_S)
    return found


def _sent(client: Client, part: Mapping[str, Company]) -> dict[str, Found]:
    """One batch, of which each row is known again by its trace id (HubSpot docs, Error handling: multi-status)."""
    traced = {f"company-{number}": key for number, key in enumerate(part)}
    inputs = [{"objectWriteTraceId": trace, "properties": _properties(part[key]), "associations": list[Any]()} for trace, key in traced.items()]
    try:
        answer = client.call("POST", f"{client.paths.companies}/batch/create", body={"inputs": inputs}, repeatable=False, changes=True)
    except NotDone as trouble:
        return dict.fromkeys(part, Deferred(trouble.what, trouble.retry_after or _RETRY_S))
    except MaybeDone as trouble:
        return dict.fromkeys(part, Deferred(trouble.what, _RETRY_S))
    if not answer.ok:
        refused = rejection(body(answer))
        return dict.fromkeys(part, Rejected(refused.code, refused.reason, LINK))
    told = body(answer)
    found: dict[str, Found] = dict.fromkeys(part, Deferred("HubSpot's answer does not mention this company", _RETRY_S))
    for row in objects(told, "results"):
        if (key := traced.get(str(row.get("objectWriteTraceId")))) is not None and row.get("id"):
            found[key] = Linked(str(row["id"]), {LINK: str(row["id"])})
    for error in objects(told, "errors"):
        refused = rejection(error)
        for key in (traced[trace] for trace in named(error, "objectWriteTraceId") if trace in traced):
            found[key] = Rejected(refused.code, refused.reason, LINK)
    return found


def _properties(company: Company) -> dict[str, str]:
    return {"name": company.name, **({} if company.domain is None else {"domain": company.domain})}
