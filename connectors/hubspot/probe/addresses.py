"""What an e-mail address does as a key, and what an id does in a search."""

from __future__ import annotations

from urllib.parse import quote

from ....model.errors import CredentialError
from ...manners import Answer
from ...probing import LOOKS, Experiment, Untold, awaited
from ..consent import SCOPE
from ..write import STAGE
from .bench import IN_THE_BIN, Contacts


def _upserted(bench: Contacts) -> str:
    good, bad = bench.address(), bench.address()
    rows = [
        {"idProperty": "email", "id": good, "properties": {"lastname": bench.name}, "objectWriteTraceId": "good"},
        {"idProperty": "email", "id": bad, "properties": {"lastname": bench.name, STAGE: f"no stage {bench.token}"}, "objectWriteTraceId": "bad"},
    ]
    answer = bench.told(f"{bench.path}/batch/upsert", {"inputs": rows})
    if not answer.ok:
        return "one bad row fails the call"
    made, failed = len(answer.data.get("results") or []), len(answer.data.get("errors") or [])
    if (made, failed) == (1, 1):
        return "rows fail alone"
    return f"{made} of 2 rows among the results, {failed} among the errors"


def _compared(bench: Contacts) -> str:
    """`GT 9` is true of every id of two digits or more as a number, and of few as a text."""
    contact = bench.contact()
    low = "9" * (len(contact) - 1)
    if contact.startswith(low):
        raise Untold("the new contact's id begins with nines only, for which both ways give the same: run it again")
    named = {"propertyName": "lastname", "operator": "EQ", "value": bench.name}

    def found(*filters: dict[str, str]) -> bool:
        told = bench.client.search({"filterGroups": [{"filters": [named, *filters]}], "properties": ["lastname"], "limit": 10})
        return any(str(row["id"]) == contact for row in told.get("results") or [])

    if not awaited(found, bench.clock):
        raise Untold("search did not find the new contact within half a minute")
    return "as numbers" if found({"propertyName": "hs_object_id", "operator": "GT", "value": low}) else "as text"


def opted_out(bench: Contacts, address: str) -> Answer:
    """HubSpot's answer to opting an address out of everything. Raises `Untold` where the credential has no right to."""
    path = f"{bench.client.paths.preferences}/statuses/{quote(address, safe='')}/unsubscribe-all"
    try:
        return bench.client.call("POST", path, query=[("channel", "EMAIL")], repeatable=True, changes=True)
    except CredentialError as error:
        raise Untold(f"opting out needs the scope {SCOPE}: {error.what}") from None


def _unknown_opted_out(bench: Contacts) -> str:
    return "opted out" if opted_out(bench, bench.address()).ok else "refused"


EXPERIMENTS = (
    Experiment(
        "upsert_by_email",
        "Does one bad row of an upsert by e-mail fail the whole call?",
        "Upsert is not used: create with trace ids, update by record id",
        "upsert_by_email_is_partial",
        3,
        IN_THE_BIN,
        _upserted,
    ),
    Experiment(
        "ids_in_search",
        "Does search compare hs_object_id as number or as text?",
        "The order of the ids that come is watched; if it is neither, the account is read in full",
        "ids_compare_as_text",
        LOOKS + 4,
        IN_THE_BIN,
        _compared,
    ),
    Experiment(
        "optout_of_unknown_address",
        "Is an address opted out that no contact has?",
        "If it is refused, that is a refusal of the row: the address is parked, and neither given to a contact nor to a new one",
        "optout_needs_contact",
        3,
        "an invented address that is opted out for good",
        _unknown_opted_out,
    ),
)
