"""How a person came through the stages before anybody watched, told by the histories of their records. Pure.

Each version of a field that is evidence is a moment at which its record said something; over all records, in the order of time, the moments are claims for
`decide`, as they would have been had a run looked on. Whoever had not seen the place to which others had brought the person may have raised or refused them,
not lowered: a record counts as having seen it where it said the same. What this program itself wrote is an echo and moves nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from ...lifecycle.contest import Tie
from ...lifecycle.decide import decide
from ...lifecycle.funnel import Funnel
from ...mapping.stages import StageMap
from ...model.records import FieldChange, Native, Values
from ...model.stages import Claim, StageReading, StageState
from ..deciding.claims import actor_words


@dataclass(frozen=True, slots=True)
class Past:
    """One record: what it says now (`seen`), and the versions of its fields, newest first, as far as the vendor has them."""

    system: str
    link: int
    stage: StageMap
    seen: Values
    versions: Mapping[str, Sequence[FieldChange]]


class Arrival(NamedTuple):
    """The person came to this place. `at`: when, by the vendor's clock (ms); None where the vendor tells only that it was before something else."""

    state: StageState
    at: int | None
    system: str
    actor: str | None
    evidence: str


class _Moment(NamedTuple):
    """From here on a record said what `values` say. Without `changes` it had said so before `at`, nobody knows since when."""

    at: int
    past: Past
    values: Mapping[str, Native]
    changes: tuple[FieldChange, ...]


@dataclass(frozen=True, slots=True)
class _Said:
    """What a record said last, in its own values and in our words."""

    values: Mapping[str, Native]
    reading: StageReading


def natives_of(stage: StageMap) -> tuple[str, ...]:
    """The fields of the record itself that are evidence. What stands on other objects (with a dot in its name) has no history of the record's."""
    return tuple(dict.fromkeys(native for native in stage.evidence if "." not in native))


def trace(funnel: Funnel, pasts: Iterable[Past], conflict: Tie = "furthest", until: int | None = None) -> list[Arrival]:
    """The places through which the person came, the first one first. `until`: nothing later than this moment (ms) is looked at."""
    moments = sorted((moment for past in pasts for moment in _moments(past)), key=_order)
    state, said = StageState(), dict[int, _Said]()
    arrivals: list[Arrival] = []
    for (at, _), together in groupby(moments, key=_order):
        if until is not None and at > until:
            break
        claims = [claim for moment in together if (claim := _claim(moment, state, said)) is not None]
        if not claims:
            continue
        decision = decide(funnel, state, claims, conflict)
        if decision.state.version != state.version:
            arrivals.append(_arrival(decision.state, claims, decision.cause))
        state = decision.state
    return arrivals


def _order(moment: _Moment) -> tuple[int, bool]:
    return moment.at, bool(moment.changes)


def _moments(past: Past) -> Iterator[_Moment]:
    """What a record said, one moment after the other; nothing where none has a time: then nobody knows when it said what it says now."""
    natives = natives_of(past.stage)
    known = {native: _known(past.versions.get(native, ()), past.seen.get(native)) for native in natives}
    changes = sorted(((change.at, native, change) for native, versions in known.items() for change in reversed(versions)), key=lambda each: each[:2])
    if not changes:
        return
    values = {native: known[native][-1].before if known[native] else past.seen.get(native) for native in natives}
    yield _Moment(changes[0][0], past, values, ())
    for at, together in groupby(changes, key=lambda each: each[0]):
        made = list(together)
        values = {**values, **{native: change.value for _, native, change in made}}
        yield _Moment(at, past, values, tuple(change for _, _, change in made))


def _known(versions: Sequence[FieldChange], seen: Native) -> Sequence[FieldChange]:
    """The versions up to the one that the state has seen: what came later is for the next run to find."""
    for number, version in enumerate(versions):
        if version.value == seen:
            return versions[number:]
    return versions


def _claim(moment: _Moment, state: StageState, said: dict[int, _Said]) -> Claim | None:
    """What the record newly says at this moment; None where it says nothing new, or nothing at all, or what we made it say."""
    stage, before = moment.past.stage, said.get(moment.past.link)
    reading = stage.read(moment.values)
    if reading is None:
        return None
    said[moment.past.link] = _Said(moment.values, reading)
    if (before is not None and reading == before.reading) or (moment.changes and all(change.actor.own for change in moment.changes)):
        return None
    hub = state.reading if state.version else None
    return Claim(
        moment.past.system,
        stage.read(moment.values, hub) or reading,
        changed=bool(moment.changes),
        current=before is not None and _had_seen(stage, before, state),
        first=before is None,
        at=moment.at if moment.changes else None,
        actor=next((change.actor for change in moment.changes if not change.actor.own), None),
    )


def _had_seen(stage: StageMap, before: _Said, state: StageState) -> bool:
    """The record said where the person was, as far as such a record can say it."""
    reading = stage.read(before.values, state.reading) or before.reading
    told = reading.stage in (None, state.stage) or state.stage not in stage.expressed
    return told and (reading.side == state.side or (reading.side is None and state.side not in stage.expressed))


def _arrival(state: StageState, claims: Sequence[Claim], cause: str) -> Arrival:
    behind = [claim for claim in claims if claim.reading.side == state.side]
    behind = [claim for claim in behind if claim.reading.stage == state.stage] or behind or list(claims)
    at = max((claim.at for claim in behind if claim.at is not None), default=None)
    actor = next((actor_words(claim) for claim in behind if claim.actor is not None), None)
    return Arrival(state, at, " and ".join(sorted({claim.system for claim in behind})), actor, cause)
