"""Fields that the lifecycle fills: when somebody entered a stage or a side state, and why they were put aside. Pure.

They follow the stage alone. What a system says in them is never heard: what somebody types over them is overruled by name and put back, and what stood
there before anything was known is left alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from ...mapping.fields import Field, Fill, Unmappable
from ...mapping.maps import FieldMap
from ...mapping.times import instant
from ...model.records import Value
from ...model.stages import StageState
from .decision import Decision, Entry, Overruled, Stay
from .desk import Desk, View
from .merge import Hub
from .owing import owe

SOURCE = "stagesync"
"""What a value that the lifecycle set came from."""
RULE = "the lifecycle sets this field"


def stamp(desk: Desk, decision: Decision, before: StageState, now: int) -> None:
    """Fill the fields of the place that the person has just entered, and owe every record what is known of them.

    `before`: the stage before it was decided, `now`: when that was observed (ms), which counts where the vendor's own time is not known. In a first sync, or
    under other maps, it does not: somebody who is met as an MQL may be one for years, so that date stays open until somebody moves.
    """
    if not desk.maps.filled:
        return
    views = [view for view in decision.views if not view.frozen]
    for field in desk.maps.filled:
        if field.fill is not None:
            _follow(decision, field, field.fill, before, now, recent=desk.begun and not desk.remapped)
            _bring_up(decision, field, field.fill, views)


def from_history(desk: Desk, canonical: Mapping[str, Entry], stays: Sequence[Stay]) -> dict[str, Entry]:
    """What the ledger tells for fields that nothing is known of yet, as canonical entries. Stays without a time tell no date."""
    told = Decision(dict(canonical), StageState(), [])
    for field in desk.maps.filled:
        before = StageState()
        for stay in stays if field.fill is not None and field.name not in canonical else ():
            after = StageState(stay.stage, stay.side, stay.reason, stay.pass_no, stay.version)
            if field.fill is not None and stay.at is not None:
                _fill(told, field, field.fill, before, after, stay.at, timed=True)
            before = after
    return {name: told.canonical[name] for name in told.changed}


def _follow(decision: Decision, field: Field, fill: Fill, before: StageState, now: int, *, recent: bool) -> None:
    """Step by step, as the person went. `recent`: whoever is met for the first time has come since the last run."""
    for stay in decision.stays:
        after = StageState(stay.stage, stay.side, stay.reason, stay.pass_no, stay.version)
        _fill(decision, field, fill, before, after, now if stay.at is None else stay.at, timed=stay.at is not None or recent)
        before = after
    if fill.what == "reason" and field.name not in decision.canonical and _stands(fill, decision.stage):  # a field that was mapped after they came there
        _set(decision, field, decision.stage.reason, fill, now)


def _fill(decision: Decision, field: Field, fill: Fill, before: StageState, after: StageState, at: int, *, timed: bool) -> None:
    if not _stands(fill, after):
        return
    entered = not _stands(fill, before) or after.pass_no != before.pass_no
    if fill.what == "reason":
        _set(decision, field, after.reason, fill, at)
    elif entered and (timed or before.version):
        _set(decision, field, instant(datetime.fromtimestamp(at / 1000, UTC)), fill, at)


def _stands(fill: Fill, state: StageState) -> bool:
    """The person is in the place, as far as anything is known."""
    return bool(state.version) and (state.stage in fill.stages if fill.side is None else state.side == fill.side)


def _set(decision: Decision, field: Field, value: Value, fill: Fill, at: int) -> None:
    known = decision.canonical.get(field.name) or [None, 0, "", 0]
    if known[0] == value:
        return
    decision.canonical[field.name] = [value, known[1] + 1, SOURCE, at]
    decision.changed[field.name] = [known[0], value, known[1] + 1, fill.sentence]


def _bring_up(decision: Decision, field: Field, fill: Fill, views: Sequence[View]) -> None:
    """Let every record say what the hub says, whatever stands there; nothing as long as the hub says nothing."""
    known = decision.canonical.get(field.name)
    hub = Hub(known[0], known[1], known[2]) if known else Hub()
    for view in views:
        field_map = view.kind.fields.get(field.name)
        if field_map is None or field_map.native not in view.seen:
            continue
        carried, edited = view.carried.get(field.name), field_map.native in view.agreed
        if carried == hub.version and not edited:
            continue
        if carried is None or carried == hub.version:
            view.carry(field.name, 0)
        view.agree(field_map.native)
        if hub.version:
            said = _said(field_map, view)
            owe(decision, field, hub, said, view, field_map, RULE if edited else fill.sentence)
            if edited and field.name in view.fields:
                decision.overruled.append(Overruled(field.name, view.system.name, said, hub.value, RULE))


def _said(field_map: FieldMap, view: View) -> Value:
    """What the record says in our terms; what cannot be read is as good as blank, since it is written over."""
    native = view.seen[field_map.native]
    try:
        return field_map.read(native, view.seen) if native is not None else None
    except Unmappable:
        return None
