"""What HubSpot makes of a row that comes twice, how it tells what is wrong with one, and where a list of them can begin."""

from __future__ import annotations

from ...probing import LOOKS, Experiment, Untold, awaited
from ..write import STAGE
from .bench import IN_THE_BIN, Contacts


def _repeated(bench: Contacts) -> str:
    contact = bench.contact()
    rows = [{"id": contact, "properties": {"firstname": value}, "objectWriteTraceId": value} for value in ("first", "last")]
    answer = bench.told(f"{bench.path}/batch/update", {"inputs": rows})
    if not answer.ok:
        return "the call is refused"
    stands = bench.shown(contact, "firstname")["firstname"]
    return f"the {stands} row stands" if stands in ("first", "last") else "neither is written"


def _explained(bench: Contacts) -> str:
    answer = bench.patch(bench.contact(), {STAGE: f"no stage {bench.token}"})
    if answer.ok:
        raise Untold("a stage that is none is accepted here")
    parts = answer.data.get("errors") if isinstance(answer.data, dict) else None
    return "in `errors` too" if parts else "in the message alone"


def _listed(bench: Contacts) -> str:
    """From an id between two new contacts, which no page has named."""
    before = int(bench.contact())
    bench.contact()
    query = [("limit", "1"), ("after", str(before + 1))]
    if not (found := bench.client.get(bench.path, query)).ok:
        return "refused"

    def shows() -> bool:
        nonlocal found
        found = bench.client.get(bench.path, query)
        return bool(bench.client.expected(found).get("results"))

    if not awaited(shows, bench.clock):
        raise Untold("the list did not show the new contacts within half a minute")
    return "yes" if int(found.data["results"][0]["id"]) > before else "it begins anew"


EXPERIMENTS = (
    Experiment(
        "row_given_twice",
        "Which of two rows for one contact in batch/update stands, or is the call refused?",
        "No batch holds a contact twice: a stage is cleared in one request and set in the next",
        "batch_repeats",
        5,
        IN_THE_BIN,
        _repeated,
    ),
    Experiment(
        "where_errors_are_told",
        "Where does HubSpot tell which property is not valid?",
        "Both the message and `errors` are read",
        "errors_only_in_message",
        4,
        IN_THE_BIN,
        _explained,
    ),
    Experiment(
        "list_from_chosen_ids",
        "Does the list of contacts go on from an id that none of its pages has named?",
        "Several chains of pages are read side by side as long as they are seen to meet; else one",
        "list_after",
        LOOKS + 5,
        IN_THE_BIN,
        _listed,
    ),
)
