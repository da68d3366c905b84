"""To which company's record a person is to be linked, and which of their records is owed that. Pure.

The link follows from company, e-mail and website; it is never merged, and what a system says in it is never heard: a link that somebody set, moved or took
away stays as it is. Only a blank one is filled, and one that we set ourselves follows when the company changes.
"""

from __future__ import annotations

from ...lifecycle.rules.domains import Domains, domain_of
from ...mapping.fields import Field, Silent
from ...mapping.maps import FieldMap
from ...model.companies import FIELD, Company, host_of
from .decision import Decision
from .desk import Desk, View
from .merge import Hub
from .owing import owe

SOURCE = "stagesync"
REASON = "linked to its company's record"


def link_company(desk: Desk, decision: Decision) -> None:
    """Note which company it is, and owe the link to every record that has none."""
    field = desk.maps.fields.get(FIELD)
    if field is None:
        return
    told = company_of(decision, desk.policy.domains)
    entry = decision.canonical.get(FIELD) or [None, 0, "", 0]
    if told is not None and entry[0] != str(told):
        at = (decision.canonical.get("company") or [None, 0, "", 0])[3]
        entry = decision.canonical[FIELD] = [str(told), entry[1] + 1, SOURCE, at]
    if entry[1]:
        for view in decision.views:
            if not view.frozen:
                _bring_up(decision, field, Hub(*entry[:3]), view)


def company_of(decision: Decision, domains: Domains) -> Company | None:
    """The company that the person is known to be with; None where nobody has named one. Its domain: of the address, where it is a company's, else of the
    website.
    """
    values = decision.values
    name, address, site = (str(value) if (value := values.get(each)) is not None else None for each in ("company", "email", "website"))
    if name is None:
        return None
    domain = domain_of(address)
    return Company(name, domain if domains.is_company(domain) else host_of(site))


def _can_be_named(field_map: FieldMap, hub: Hub) -> bool:
    """Else the link stays owed: another rule may know the company by something else."""
    try:
        field_map.write(hub.value)
    except Silent:
        return False
    return True


def _bring_up(decision: Decision, field: Field, hub: Hub, view: View) -> None:
    field_map = view.kind.fields.get(FIELD)
    if field_map is None or field_map.native not in view.seen or not (view.system.writes and field_map.writable):
        return
    stands, ours = view.seen[field_map.native], view.carried.get(FIELD)
    if field_map.native in view.agreed:  # somebody set, moved or took it away: it stays so, until a company changes that has no link
        view.agree(field_map.native)
        view.carry(FIELD, 0 if stands is not None else hub.version)
    elif ours != hub.version and (ours or stands is None) and _can_be_named(field_map, hub):
        owe(decision, field, hub, stands, view, field_map, REASON)
