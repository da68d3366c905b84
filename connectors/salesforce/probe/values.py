"""How the org takes values and rows, and in which order it puts ids."""

from __future__ import annotations

from ...probing import Experiment, Untold
from ..soql import select, text
from .bench import IN_THE_BIN, Rows

_ENOUGH = 70
"""Ids count in digits, capitals and small letters, 62 in all: so many in a row hold some that differ in case alone."""


def _sorted(bench: Rows) -> str:
    """By ORDER BY and by `>`, which must agree, or no page begins where the last one ended."""
    made = bench.many_made([bench.lead_values() for _ in range(_ENOUGH)])
    mine = f"LastName = {text(bench.name)}"
    ids = [str(row["Id"]) for row in bench.client.rows(select(("Id",), "Lead", mine, "Id"), ("Id",))]
    if sorted(ids) != sorted(made):
        raise Untold("a query did not find the new records")
    middle = ids[len(ids) // 2]
    behind = {str(row["Id"]) for row in bench.client.rows(select(("Id",), "Lead", f"LastName = {text(bench.name)} AND Id > {text(middle)}"), ("Id",))}
    agrees = behind == set(ids[len(ids) // 2 + 1 :])
    capitals, small = sorted(ids), sorted(ids, key=str.swapcase)
    if capitals == small:
        raise Untold("the new ids do not differ in case: run it again")
    order = {tuple(capitals): "capitals first, as Python does", tuple(small): "small letters first"}.get(tuple(ids), "in another order")
    return order if agrees else f"{order}; and `Id >` does not go by it"


def _emptied(bench: Rows) -> str:
    lead = bench.lead(Title="probe")
    answer = bench.patch(lead, {"Title": ""})
    if not answer.ok:
        return "refused"
    found = bench.shown(lead, "Title")["Title"]
    return "null" if found is None else "an empty text" if found == "" else "it keeps its value"


def _unknown_field(bench: Rows) -> str:
    answer = bench.many([bench.lead_values(), bench.lead_values(StagesyncNoSuchField__c="1")])
    if not answer.ok:
        return "the call"
    good, bad = (bool(row.get("success")) for row in answer.data)
    if good:
        return "nothing: the field is passed over" if bad else "the row"
    return "both rows"


def _duplicate_told(bench: Rows) -> str:
    """A second Lead with name and address of the first, without the header that saves it all the same."""
    values = bench.lead_values()
    bench.made("Lead", values)
    answer = bench.answer("Lead", values, {})
    found = answer.data[0] if not answer.ok and isinstance(answer.data, list) and answer.data else {}
    if found.get("errorCode") != "DUPLICATES_DETECTED":
        raise Untold("no active rule stops a second Lead with the same name and address")
    extra = sorted(str(key) for key in found if key not in ("errorCode", "message", "fields"))
    return ", ".join(extra) or "no key: the duplicates are not told"


def _parents(bench: Rows) -> str:
    lead = bench.lead()
    answer = bench.client.call("POST", "composite/sobjects/Lead", {"ids": [lead], "fields": ["Id", "Owner.Name"]}, repeatable=True)
    return "yes" if answer.ok and answer.data and (answer.data[0] or {}).get("Owner") else "no"


EXPERIMENTS = (
    Experiment(
        "ids_sort",
        "In which order are ids sorted in SOQL?",
        "The last row as it came is where the next page begins; ids are never sorted here",
        "ids_sort",
        5,
        IN_THE_BIN,
        _sorted,
    ),
    Experiment(
        "empty_text",
        "What is an empty text stored as?",
        "An empty text and null both read as blank",
        "empty_text_is_null",
        5,
        IN_THE_BIN,
        _emptied,
    ),
    Experiment(
        "unknown_field",
        "What fails where one row of a call has a field that is not there?",
        "A failed call is sent again without the rows at fault",
        "unknown_field_fails",
        3,
        IN_THE_BIN,
        _unknown_field,
    ),
    Experiment(
        "duplicate_result_key",
        "Under which key does a refused single record tell its duplicates?",
        "It is not read: a refusal is parked as DUPLICATES_DETECTED, and people are matched by their own keys",
        "duplicate_result_key",
        4,
        IN_THE_BIN,
        _duplicate_told,
    ),
    Experiment(
        "parents_in_collections",
        "Does reading many records by id understand fields of related records?",
        "Such fields are asked for by queries",
        "reads_parents",
        4,
        IN_THE_BIN,
        _parents,
    ),
)
