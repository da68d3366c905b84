"""Who may move whom: a team lets people into its own stages, and keeps its hands off those whom it has handed on. Pure.

entering a stage    forward, beside it, or in a new pass: the team that owns it, or one that is named beside it
setting aside       by a no, to be nurtured, ...: the team that has the person, and the team that they are handed to next
lowering            the same two: whoever is handed a person may hand them back
taking back a no    the same two; where a person waits to be handed on, only the next team, whose no it is
a team not known    is not asked, nor is a record that meets the person: nobody moved anybody there
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from ..model.records import Actor
from ..model.stages import StageReading
from .funnel import Funnel, Stage


@dataclass(frozen=True, slots=True)
class Authority:
    """Who belongs to which team, and what becomes of a move by one that may not.

    `users`: "SYSTEM:user id" -> team. `automations` and `systems`: system -> the team that its automations, and whatever else is done there, speak for.
    `also`: stage or side state -> teams that may let people in beside its own. `unauthorised`: somebody is asked, or the record is put back.
    """

    users: Mapping[str, str] = field(default_factory=dict[str, str])
    automations: Mapping[str, str] = field(default_factory=dict[str, str])
    systems: Mapping[str, str] = field(default_factory=dict[str, str])
    also: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    unauthorised: Literal["hold", "put back"] = "hold"

    def team_of(self, system: str, actor: Actor | None) -> str | None:
        """The team that somebody speaks for: a user's or an automation's own, else the system's. None: not known, or it was ourselves."""
        if actor is not None and actor.own:
            return None
        named: str | None = None
        if actor is not None and actor.kind == "user":
            named = self.users.get(f"{system}:{actor.id}")
        elif actor is not None and actor.kind == "automation":
            named = self.automations.get(system)
        return named or self.systems.get(system)

    def may(self, funnel: Funnel, team: str | None, before: StageReading, after: StageReading) -> bool:
        """Whether the team may move somebody so. `team` None: nobody asks."""
        return self.objection(funnel, team, before, after) is None

    def objection(self, funnel: Funnel, team: str | None, before: StageReading, after: StageReading) -> str | None:
        """Why the team may not move somebody so, such as "sales owns sql"; None where it may."""
        if team is None:
            return None
        again = funnel.begins_again(before, after)
        return self._to_stage(funnel, team, before, after, again=again) or (None if again else self._to_side(funnel, team, before, after))

    def _to_stage(self, funnel: Funnel, team: str, before: StageReading, after: StageReading, *, again: bool) -> str | None:
        if after.stage is None or (after.stage == before.stage and not again):
            return None
        if before.stage is not None and not again and funnel.position(after.stage) < funnel.position(before.stage):
            return None if team in _holders(funnel, before.stage) else _owns(funnel, before.stage)
        entered = funnel.stages[after.stage]
        return None if team == entered.team or team in self.also.get(entered.id, ()) else _owns(funnel, entered.id)

    def _to_side(self, funnel: Funnel, team: str, before: StageReading, after: StageReading) -> str | None:
        if (before.side, before.reason) == (after.side, after.reason) or before.stage is None:
            return None
        if before.side in funnel.rejections and after.side not in funnel.rejections:
            if team not in _refusers(funnel, before.stage) and team not in self.also.get(before.side or "", ()):
                return f"a no to {before.stage} is for {' or '.join(sorted(_refusers(funnel, before.stage)))} to take back"
            if after.side is None:
                return None
        named = self.also.get(after.side or before.side or "", ())
        holders = _holders(funnel, before.stage) | (_holders(funnel, after.stage) if after.stage is not None else set())
        return None if team in named or team in holders else _owns(funnel, before.stage)


def _holders(funnel: Funnel, stage: str) -> set[str]:
    """The team that has whoever is there, and those to whom they are handed next."""
    return {funnel.stages[stage].team, *_next_teams(funnel, stage)}


def _refusers(funnel: Funnel, stage: str) -> set[str]:
    """Whose no it is, where somebody at the stage was refused: at the last stage of a team it is the next team's."""
    own, following = funnel.stages[stage].team, next(_ahead(funnel, stage), ())
    handed_on = bool(following) and all(each.team != own for each in following)
    return _next_teams(funnel, stage) if handed_on else _holders(funnel, stage)


def _next_teams(funnel: Funnel, stage: str) -> set[str]:
    """The teams of the nearest stages ahead that another team owns. Nobody is handed on once they have bought."""
    own = funnel.stages[stage].team
    for column in _ahead(funnel, stage):
        others = {each.team for each in column} - {own}
        if others:
            return others
    return set()


def _ahead(funnel: Funnel, stage: str) -> Iterator[tuple[Stage, ...]]:
    """The positions ahead, up to the first that is won, without the stages at which people come in from elsewhere."""
    here = funnel.stages[stage]
    if here.won:
        return
    for column in funnel.columns[here.position + 1 :]:
        passed = tuple(each for each in column if not each.entry)
        if passed:
            yield passed
        if any(each.won for each in column):
            return


def _owns(funnel: Funnel, stage: str) -> str:
    return f"{funnel.stages[stage].team} owns {stage}"
