"""What HubSpot makes of a row that comes twice, and how it tells what is wrong with one."""

from __future__ import annotations

from ...probing import Experiment, Untold
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
)
