"""How a lifecycle stage moves when the API sends it back."""

from __future__ import annotations

from functools import partial

from ...manners import Answer
from ...probing import Experiment, Untold
from ..describe import stage_order
from ..write import STAGE
from .bench import IN_THE_BIN, Contacts

_HANDLED = "It is cleared in one request and set in the next; only a value that was read back counts. A refused one is parked and reported"


def _sent_back(bench: Contacts, version: str | None) -> tuple[str, str, Answer]:
    """A contact at the account's second stage is sent to its first: (the stage sent, the one that it has then, HubSpot's answer)."""
    order = stage_order(bench.client)
    if len(order) < 2:
        raise Untold("this account has no two lifecycle stages")
    first, second = sorted(order, key=lambda stage: order[stage])[:2]
    contact = bench.contact(**{STAGE: second})
    if (begun := bench.shown(contact, STAGE).get(STAGE)) != second:
        raise Untold(f'a contact made at "{second}" stands at "{begun}"')
    answer = bench.patch(contact, {STAGE: first}, version)
    return first, str(bench.shown(contact, STAGE).get(STAGE) or ""), answer


def _backward(bench: Contacts, version: str) -> str:
    sent, now, answer = _sent_back(bench, version)
    if not answer.ok:
        return "refused"
    return "applied" if now == sent else "ignored"


def _echoed(bench: Contacts) -> str:
    sent, now, answer = _sent_back(bench, None)
    if not answer.ok or now == sent:
        raise Untold(f"a stage that goes back is {'applied' if answer.ok else 'refused'} here, so that there is nothing to echo")
    return "the stage that was sent" if (answer.data.get("properties") or {}).get(STAGE) == sent else "the stage that it kept, or none"


def _options_by_api(bench: Contacts) -> str:
    told = bench.client.expected(bench.client.get(f"{bench.client.paths.properties}/{STAGE}"))
    limits = told.get("modificationMetadata") or {}
    if "readOnlyOptions" not in limits:
        raise Untold("the property does not tell whether its options are read-only")
    return "no" if limits["readOnlyOptions"] else "yes"


EXPERIMENTS = (
    Experiment(
        "backward_stage_v3",
        "Is a lifecycle stage that goes back ignored, applied or refused, on v3?",
        _HANDLED,
        "backward_stage",
        7,
        IN_THE_BIN,
        partial(_backward, version="v3"),
    ),
    Experiment(
        "backward_stage_2026_09",
        "Is a lifecycle stage that goes back ignored, applied or refused, on 2026-09?",
        _HANDLED,
        "backward_stage",
        7,
        IN_THE_BIN,
        partial(_backward, version="2026-09"),
    ),
    Experiment(
        "ignored_stage_echoed",
        "Which stage does the answer show where the one that was sent is ignored?",
        _HANDLED,
        "answer_echoes_ignored_stage",
        7,
        IN_THE_BIN,
        _echoed,
    ),
    Experiment(
        "stage_options_by_api",
        "May the options of the lifecycle stage be changed by the API?",
        "They never are: whoever wants a stage adds it in HubSpot's settings, and maps it",
        "stage_options_by_api",
        1,
        "nothing",
        _options_by_api,
    ),
)
