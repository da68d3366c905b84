"""What moves a person's stamps, and which of them a condition looks at."""

from __future__ import annotations

from email.utils import formatdate

from ...probing import LOOKS, Experiment, Untold, rested
from ..errors import whole_refusal
from ..rows import Row, stamp_ms
from .bench import IN_THE_BIN, Rows

_SYSTEM, _SOMEBODY = "SystemModstamp", "LastModifiedDate"


def _stamps(bench: Rows, id: str, kind: str = "Lead") -> Row:
    return bench.shown(id, _SYSTEM, _SOMEBODY, kind=kind)


def _said(before: Row, after: Row) -> str:
    moved = [name for name in (_SYSTEM, _SOMEBODY) if before[name] != after[name]]
    return {2: "both stamps move", 0: "neither moves"}.get(len(moved)) or f"{moved[0]} moves"


def _same(bench: Rows) -> str:
    lead = bench.lead(Title="probe")
    before = rested(lambda: _stamps(bench, lead), bench.clock)
    answer = bench.patch(lead, {"Title": "probe"})
    if not answer.ok:
        raise Untold(f"the org refuses what the experiment needs: {whole_refusal(answer).code}")
    return _said(before, rested(lambda: _stamps(bench, lead), bench.clock))


def _joined(bench: Rows) -> tuple[str, Row, Row]:
    """A Lead that becomes a member of a campaign: its id, and its stamps before and after."""
    lead, campaign = bench.lead(), bench.campaign()
    before = rested(lambda: _stamps(bench, lead), bench.clock)
    bench.made("CampaignMember", {"CampaignId": campaign, "LeadId": lead})
    return lead, before, rested(lambda: _stamps(bench, lead), bench.clock)


def _child(bench: Rows) -> str:
    _, before, after = _joined(bench)
    return _said(before, after)


def _role(bench: Rows) -> str:
    account = bench.account()
    contact = bench.contact(account)
    before = rested(lambda: _stamps(bench, contact, "Contact"), bench.clock)
    bench.role(account, contact)
    return _said(before, rested(lambda: _stamps(bench, contact, "Contact"), bench.clock))


def _compared(bench: Rows) -> str:
    """A Lead whose one stamp is newer than the other is changed on condition that it is unchanged since the older one."""
    lead, _, now = _joined(bench)
    if stamp_ms(now[_SYSTEM]) <= stamp_ms(now[_SOMEBODY]):
        raise Untold("a new campaign member does not move SystemModstamp alone here, and the API has no other way to do so")
    since = formatdate(stamp_ms(now[_SOMEBODY]) / 1000, usegmt=True)
    answer = bench.patch(lead, {"Title": "probe"}, {"If-Unmodified-Since": since})
    if answer.ok:
        return _SOMEBODY
    if answer.status == 412:
        return _SYSTEM
    raise Untold(f"the condition is refused: {whole_refusal(answer).code}")


EXPERIMENTS = (
    Experiment(
        "same_values_move_stamps",
        "Does saving equal values move the stamps?",
        "A record that shows what was agreed is no change, whatever its stamp",
        "same_values_move_stamps",
        2 * LOOKS + 4,
        IN_THE_BIN,
        _same,
    ),
    Experiment(
        "child_moves_person",
        "Does a new campaign member move its Lead's stamps?",
        "Nothing relies on it: opportunities, their roles and campaign members are read by their own stamps",
        "child_moves_person",
        2 * LOOKS + 7,
        IN_THE_BIN,
        _child,
    ),
    Experiment(
        "role_moves_person",
        "Does a new role in an opportunity move its Contact's stamps?",
        "Nothing relies on it: opportunities, their roles and campaign members are read by their own stamps",
        "child_moves_person",
        2 * LOOKS + 11,
        IN_THE_BIN,
        _role,
    ),
    Experiment(
        "condition_compares",
        "Does a conditional PATCH compare LastModifiedDate or SystemModstamp?",
        "Conditional writes are not used: records are read again just before",
        "condition_compares",
        2 * LOOKS + 8,
        IN_THE_BIN,
        _compared,
    ),
)
