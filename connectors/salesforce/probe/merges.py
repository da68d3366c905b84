"""What a merge and a conversion leave: opt-outs, stamps, and what may still be written."""

from __future__ import annotations

from ...probing import LOOKS, Experiment, Untold, rested
from ..errors import whole_refusal
from .bench import IN_THE_BIN, Rows

_OPT_OUT, _STAMP = "HasOptedOutOfEmail", "SystemModstamp"
_MERGED = f"{IN_THE_BIN}; two of them merged, which nobody can undo"
_CONVERTED = f"{IN_THE_BIN}; one of them converted, which nobody can undo"


def _kept(flag: object) -> str:
    return "it is kept" if flag is True else "it is lost"


def _opt_out_merged(bench: Rows) -> str:
    winner, loser = bench.lead(), bench.lead(**{_OPT_OUT: True})
    bench.merged(winner, loser)
    return _kept(bench.shown(winner, _OPT_OUT)[_OPT_OUT])


def _opt_out_converted(bench: Rows) -> str:
    account = bench.account()
    contact = bench.contact(account)
    bench.converted(bench.convertible(**{_OPT_OUT: True}), account=account, contact=contact)
    return _kept(bench.shown(contact, _OPT_OUT, kind="Contact")[_OPT_OUT])


def _edited(bench: Rows) -> str:
    lead = bench.convertible()
    bench.converted(lead)
    answer = bench.patch(lead, {"Title": "probed"})
    if answer.ok:
        return "yes"
    code = whole_refusal(answer).code
    if code != "CANNOT_UPDATE_CONVERTED_LEAD":
        raise Untold(f"the change is refused for another reason: {code}")
    return "no"


def _stamped(bench: Rows, kind: str, id: str) -> str:
    return str(rested(lambda: bench.shown(id, _STAMP, kind=kind), bench.clock)[_STAMP])


def _member(bench: Rows) -> str:
    lead = bench.convertible()
    member = bench.made("CampaignMember", {"CampaignId": bench.campaign(), "LeadId": lead})
    before = _stamped(bench, "CampaignMember", member)
    bench.converted(lead)
    return "it moves" if _stamped(bench, "CampaignMember", member) != before else "it stays"


def _role(bench: Rows) -> str:
    account = bench.account()
    winner, loser = bench.contact(account), bench.contact(account)
    role = bench.role(account, loser)
    before = _stamped(bench, "OpportunityContactRole", role)
    bench.merged(winner, loser)
    after = _stamped(bench, "OpportunityContactRole", role)
    if bench.shown(role, "ContactId", kind="OpportunityContactRole")["ContactId"] != winner:
        raise Untold("the role does not go over to the winner")
    return "it moves" if after != before else "it stays"


EXPERIMENTS = (
    Experiment(
        "opt_out_in_merge",
        "Is the opt-out of a Lead kept that is merged into another?",
        "The moved link meets the person anew, and an opt-out never loses",
        "merge_keeps_opt_out",
        6,
        _MERGED,
        _opt_out_merged,
    ),
    Experiment(
        "opt_out_in_conversion",
        "Is the opt-out of a Lead kept that is converted into an existing Contact?",
        "The moved link meets the person anew, and an opt-out never loses",
        "conversion_keeps_opt_out",
        12,
        _CONVERTED,
        _opt_out_converted,
    ),
    Experiment(
        "converted_lead_edited",
        "May this user change a converted Lead?",
        "None is written: the link has moved to the Contact",
        "converted_leads_editable",
        10,
        _CONVERTED,
        _edited,
    ),
    Experiment(
        "member_in_conversion",
        "Does a campaign member that goes over to the Contact get a new stamp?",
        "It is the same event, by its id and status, and stays with the person of the Lead",
        "conversion_moves_members",
        2 * LOOKS + 13,
        _CONVERTED,
        _member,
    ),
    Experiment(
        "role_in_merge",
        "Does a role that goes over to the winner of a merge get a new stamp?",
        "The roles of contacts that have changed are read too, and the winner has",
        "merge_moves_roles",
        2 * LOOKS + 14,
        _MERGED,
        _role,
    ),
)
