"""What moves a contact's stamp, what its history shows, and what moves a credential."""

from __future__ import annotations

from typing import Any

from ...probing import LOOKS, Experiment, Untold, awaited, rested
from ..consent import OPT_OUT
from ..rows import EMAIL
from .addresses import opted_out
from .bench import IN_THE_BIN, Contacts, refusal

_STAMP = "lastmodifieddate"
_WRITES = 50
"""Public sources claim 20 and 45 versions."""


def _stamped(bench: Contacts) -> str:
    contact = bench.contact()
    before = rested(lambda: bench.shown(contact, _STAMP, EMAIL), bench.clock)
    answer = opted_out(bench, str(before[EMAIL]))
    if not answer.ok:
        raise Untold(f"the opt-out is refused: {refusal(answer)}")
    shows = awaited(lambda: bench.shown(contact, OPT_OUT).get(OPT_OUT) == "true", bench.clock)
    moved = bench.shown(contact, _STAMP)[_STAMP] != before[_STAMP]
    return ("it moves" if moved else "it stays") + ("" if shows else "; and the contact does not show the opt-out within half a minute")


def _versions(bench: Contacts, contact: str, name: str) -> list[dict[str, Any]]:
    told = bench.client.expected(bench.client.get(f"{bench.path}/{contact}", [("propertiesWithHistory", name)]))
    return (told.get("propertiesWithHistory") or {}).get(name) or []


def _kept(bench: Contacts) -> str:
    contact = bench.contact(firstname="0")
    for number in range(1, _WRITES):
        bench.patch(contact, {"firstname": str(number)})
    kept = len(_versions(bench, contact, "firstname"))
    return f"{_WRITES} or more" if kept >= _WRITES else str(kept)


def _source(bench: Contacts) -> str:
    """Without the id of a user, who is somebody."""
    versions = _versions(bench, bench.contact(firstname="probed"), "firstname")
    if not versions:
        raise Untold("a new contact's history shows nothing of our write")
    source, id = str(versions[0].get("sourceType") or "no source type"), str(versions[0].get("sourceId") or "")
    return f"{source}, {'sourceId ' + id if id.isdigit() else 'a sourceId that is no number' if id else 'no sourceId'}"


def _rotated(bench: Contacts) -> str:
    rotates = bench.client.rotates()
    if rotates is None:
        raise Untold("this credential is a token that is not renewed")
    return "yes" if rotates else "no"


EXPERIMENTS = (
    Experiment(
        "optout_moves_stamp",
        "Does an opt-out move lastmodifieddate?",
        "If it does not, it is seen when the contact changes next, or when it is read in full",
        "optout_moves_stamp",
        2 * LOOKS + 5,
        f"{IN_THE_BIN}, and its invented address, which is opted out for good",
        _stamped,
    ),
    Experiment(
        "versions_kept",
        "How many versions does the history of a property keep?",
        "A history without our own write says nothing, and nothing is concluded from it",
        "versions_kept",
        _WRITES + 3,
        IN_THE_BIN,
        _kept,
    ),
    Experiment(
        "own_source",
        "Which source does the history show for what this credential writes?",
        "It is learned from the history of an own write; until then an integration that wrote exactly what we sent is taken for us",
        "",
        4,
        IN_THE_BIN,
        _source,
    ),
    Experiment(
        "refresh_rotates",
        "Does a refresh token change when it is used?",
        "Whatever comes back is stored before the old one is forgotten",
        "refresh_rotates",
        1,
        "nothing",
        _rotated,
    ),
)
