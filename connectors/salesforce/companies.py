"""Accounts: the companies' records to which Contacts are linked.

An Account is looked for before it is made. SOQL reads what is committed, so whoever asks again finds one that was made. Person accounts are people, not
companies, and are left out (Object Reference, Account: IsPersonAccount is there where an org has switched them on). Website is text that people type, so its
host is compared here, and so are names without their legal form; the queries only narrow down (SOQL and SOSL Reference, LIKE: `%`, `_`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from ...model.companies import By, Company, Found, Linked, host_of
from ...model.spelling import firm
from ...model.writes import Applied, Deferred, Outcome, Rejected
from ..companies import Candidate, choose, missing
from ..manners import MaybeDone, NotDone
from ..packing import packed
from .client import Client
from .errors import outcome, refusal, whole_refusal
from .rows import Row
from .soql import ROOM, encoded, select, text

LINK = "AccountId"
NAME = "Account.Name"
"""What is read of the Account through a Contact, and changes with the link."""

MOST = 100
"""So many companies are looked for in one query."""
SIZE = 200
"""Accounts of one collection."""
_NAME_LENGTH = 255
_RETRY_S = 60.0
_WORD = re.compile(r"[^\W_]+")


class Accounts(NamedTuple):
    """What this user may do with them. `people`: some Accounts are person accounts."""

    makes: bool
    people: bool


def rights(client: Client) -> Accounts | None:
    """None: this user may not see Accounts, or not by what they are known."""
    described = client.open_description("Account")
    fields = {field["name"] for field in described["fields"]} if described else set[str]()
    if described is None or not {"Name", "Website"} <= fields:
        return None
    return Accounts(bool(described.get("createable")), "IsPersonAccount" in fields)


def companies(client: Client, accounts: Accounts | None, wanted: Mapping[str, Company], by: By, headers: Mapping[str, str] | None) -> dict[str, Found]:
    """The Account of each company. `headers`: with which Accounts that are missing are made; None: none is made."""
    if accounts is None:
        return dict.fromkeys(wanted, Rejected("INSUFFICIENT_ACCESS_OR_READONLY", "this user may not read Account with Name and Website", LINK))
    found = _looked_up(client, accounts, wanted, by)
    absent = missing(wanted, found) if headers is not None and accounts.makes else {}
    keys = list(absent)
    for start in range(0, len(keys), SIZE):
        found |= _sent(client, accounts, {key: absent[key] for key in keys[start : start + SIZE]}, by, headers or {})
    return found


def _looked_up(client: Client, accounts: Accounts, wanted: Mapping[str, Company], by: By) -> dict[str, Found]:
    rows = {row["Id"]: row for condition in _conditions(wanted.values(), by, accounts) for row in client.rows(_query(condition), ("Id",))}
    found = [Candidate(id, name := row.get("Name") or "", host_of(row.get("Website")), {LINK: id, NAME: name}) for id, row in rows.items()]
    return choose(wanted, found, by, LINK)


def _query(condition: str) -> str:
    return select(("Id", "Name", "Website"), "Account", condition)


def _conditions(wanted: Iterable[Company], by: By, accounts: Accounts) -> Iterator[str]:
    """As many as fit into a URL each."""
    tail = " AND IsPersonAccount = false" if accounts.people else ""
    room = ROOM - len(encoded(_query(f"(){tail}")))
    likes = dict.fromkeys(like for company in wanted for like in _likes(company, by))
    for part in packed(((each, len(encoded(each + " OR "))) for each in likes), room, MOST):
        yield f"({' OR '.join(part)}){tail}"


def _likes(company: Company, by: By) -> Iterator[str]:
    """What narrows it down: a name as it begins, as it is written and without its legal form. An accented letter may be written in one way or another."""
    if by == "domain":
        yield f"Website LIKE {text(f'%{company.domain}%')}"
        return
    for words in (_WORD.findall(company.name), firm(company.name).split()):
        if words:
            yield f"Name LIKE {text(''.join(f'{_loose(word)}%' for word in words))}"


def _loose(word: str) -> str:
    return "".join(char if char.isascii() else "%" for char in word)


def _sent(client: Client, accounts: Accounts, part: Mapping[str, Company], by: By, headers: Mapping[str, str]) -> dict[str, Found]:
    """One collection. Where its answer is lost, what became of it is looked up; what is not there may still arrive, so nothing is sent again now."""
    rows = [_account(company) for company in part.values()]
    try:
        answer = client.call("POST", "composite/sobjects", {"allOrNone": False, "records": rows}, repeatable=False, changes=True, headers=headers)
    except NotDone as trouble:
        return {key: Deferred(trouble.what, trouble.retry_after or _RETRY_S) for key in part}
    except MaybeDone as trouble:
        lost = Deferred(trouble.what, _RETRY_S)
        return {key: each if isinstance(each, Linked) else lost for key, each in _looked_up(client, accounts, part, by).items()}
    if not answer.ok:
        return {key: _failed(outcome(whole_refusal(answer))) for key in part}
    told: Any = answer.data
    if not isinstance(told, list) or len(told) != len(part):
        return {key: Deferred("the answer does not have one result per row", _RETRY_S) for key in part}
    return {key: _result(company, row) for (key, company), row in zip(part.items(), told, strict=True)}


def _account(company: Company) -> Row:
    site = {} if company.domain is None else {"Website": company.domain}
    return {"attributes": {"type": "Account"}, "Name": company.name[:_NAME_LENGTH], **site}


def _result(company: Company, row: Any) -> Found:
    if isinstance(row, dict) and row.get("success") and isinstance(row.get("id"), str):
        return Linked(row["id"], {LINK: row["id"], NAME: company.name[:_NAME_LENGTH]})
    errors = row.get("errors") if isinstance(row, dict) else None
    return _failed(outcome(refusal(errors[0]))) if errors else Deferred("the row's result cannot be read", _RETRY_S)


def _failed(verdict: Outcome) -> Found:
    """A company that is refused is refused as the Contact's link to it, whatever field of the Account is at fault."""
    match verdict:
        case Rejected():
            return Rejected(verdict.code, verdict.reason, LINK)
        case Deferred():
            return verdict
        case Applied() | _:
            return Deferred("nobody can say whether the Account was made", _RETRY_S)
