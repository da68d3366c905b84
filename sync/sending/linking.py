"""Which company's record a person is linked to, found out just before the link is written.

The plan names a company; which record that is in the system, or that it has none yet, is asked once for a whole batch. By then its rows are on record as
sent, so that whoever takes over from a run that was killed here waits until nothing of it can arrive any more, and then looks: a company that was made is
found, and no second one is made. From then on a row holds the record's id, so that what became of it can be told exactly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from ...connectors.contract import Companies
from ...mapping.maps import FieldMap
from ...model.companies import FIELD, Company, Found, Linked, read_company
from ...model.writes import Deferred, Rejected, Step
from ...state.actions import ActionRow
from ..session import Connected

UNLINKED = "unlinked"
"""Where the payload of a create says why the new record has no link: {code, reason, version of the company}."""
Group = Sequence[tuple[ActionRow, Step]]


class Resolved(NamedTuple):
    """A batch whose rows name records. `changed`: those that did not before; `failed`: those that cannot be linked, and have nothing else to write."""

    ready: list[tuple[ActionRow, Step]]
    changed: list[ActionRow]
    failed: list[tuple[ActionRow, Rejected | Deferred]]


def resolve(connected: Connected, group: Group) -> Resolved | None:
    """The batch with its companies found or made; None where nobody is to be linked. Raises what the connector raises.

    Who cannot be linked is made all the same. Records of one company lie together: Salesforce locks an Account while a
    child of it is written (Bulk API 2.0 Developer Guide, Organize Data to Minimize Lock Contention).
    """
    rules, connector = connected.system.map.companies, connected.connector
    told = {row.id: (field_map, value) for row, _ in group if (field_map := _link(connected, row)) is not None and (value := _company(row, field_map))}
    if rules is None or not told or not isinstance(connector, Companies):
        return None
    wanted = list(dict.fromkeys(read_company(value) for _, value in told.values()))
    found: Mapping[Company, Found] = dict(zip(wanted, connector.companies(wanted, rules.by, make=rules.make), strict=True))
    resolved = Resolved([], [], [])
    for row, step in group:
        if row.id not in told:
            resolved.ready.append((row, step))
            continue
        field_map, value = told[row.id]
        match found[read_company(value)]:
            case Linked() as there:
                linked = _with(row, {name: each for name, each in there.values.items() if name in (field_map.native, *field_map.shows)})
            case failure if row.op == "create":
                linked = _without(row, field_map, failure)
            case failure:
                resolved.failed.append((row, failure))
                continue
        resolved.changed.append(linked)
        resolved.ready.append((linked, replace(step, values=linked.payload["values"])))
    resolved.ready.sort(key=lambda each: str(each[0].payload["values"].get(told[each[0].id][0].native) or "") if each[0].id in told else "")
    return resolved


def unlinked(row: ActionRow) -> dict[str, str]:
    """What is kept of why a new record has no link."""
    why = row.payload.get(UNLINKED)
    return {} if why is None else {"reason": why["reason"]}


def _link(connected: Connected, row: ActionRow) -> FieldMap | None:
    return connected.system.map.kinds[row.payload["kind"]].fields.get(FIELD)


def _company(row: ActionRow, field_map: FieldMap) -> str | None:
    """The company that the row names. What an undo puts back is a record already."""
    value = row.payload["values"].get(field_map.native)
    named = row.op == "create" or (FIELD in row.fields and row.fields[FIELD][1] == value)
    return value if named and isinstance(value, str) else None


def _with(row: ActionRow, values: Mapping[str, object]) -> ActionRow:
    return row._replace(payload={**row.payload, "values": {**row.payload["values"], **values}})


def _without(row: ActionRow, field_map: FieldMap, why: Rejected | Deferred) -> ActionRow:
    """The new record without its link, which it is owed; what was refused is told once the record is there."""
    values = {name: value for name, value in row.payload["values"].items() if name != field_map.native}
    carried: Mapping[str, int] = row.payload["carried"]
    told = {UNLINKED: {"code": why.code, "reason": why.reason, "version": carried[FIELD]}} if isinstance(why, Rejected) else {}
    return row._replace(payload={**row.payload, "values": values, "carried": {**carried, FIELD: 0}, **told})
