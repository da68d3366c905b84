"""From two tables to who may move whom, or everything that is wrong with them, each mistake with its TOML path and a remedy. Pure.

[teams.sales]                       # a team of the funnel: one that a stage names as its own
users = ["anna@acme.example"]       # by the address that the systems know them under, or as "SYSTEM:user id"
automations = ["hubspot"]           # systems whose workflows speak for the team
systems = ["salesforce"]            # systems in which everybody else, and whatever tells no author, speaks for the team

[authority]
unauthorised = "hold"               # what a team may not do is asked about; or it is "put back"

[authority.also]                    # stage, group or side state -> teams that may let people in there beside the one that owns it
sql = ["marketing"]
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from .authority import Authority
from .funnel import Funnel
from .parsing import Tell, known

_TEAM_KEYS, _KEYS, _UNAUTHORISED = ("users", "automations", "systems"), ("unauthorised", "also"), ("hold", "put back")
_USER = 'Write an address such as "anna@acme.example", or "SYSTEM:user id"'


def read_authority(own: Mapping[str, Any], funnel: Funnel, systems: Collection[str], tell: Tell) -> Authority | None:
    """Who may move whom, as the tables `teams` and `authority` of `own` say it; None where neither is there. Every mistake is told.

    Users are kept as they were named: whoever has seen the accounts turns addresses into user ids.
    """
    if "teams" not in own and "authority" not in own:
        return None
    return _Reader(own, funnel, systems, tell).authority()


@dataclass(frozen=True, slots=True)
class _Reader:
    """One walk over both tables."""

    own: Mapping[str, Any]
    funnel: Funnel
    systems: Collection[str]
    tell: Tell

    def authority(self) -> Authority:
        members: dict[str, dict[str, str]] = {key: {} for key in _TEAM_KEYS}
        for name, said in self.table("teams", self.own.get("teams", {})).items():
            path, team = f"teams.{name}", self.team(f"teams.{name}", name)
            spec = self.table(path, said, _TEAM_KEYS)
            for key in _TEAM_KEYS:
                for member in self.members(f"{path}.{key}", key, spec.get(key, [])):
                    other = members[key].setdefault(member, team or name)
                    if other != (team or name):
                        self.tell(f"{path}.{key}", f"{member!r} speaks for {other} already", "Name it in one team")
        said = self.table("authority", self.own.get("authority", {}), _KEYS)
        way = said.get("unauthorised", "hold")
        if way not in _UNAUTHORISED:
            self.tell("authority.unauthorised", f"{way!r} is not allowed here", f"Allowed: {', '.join(_UNAUTHORISED)}")
        also = self.also(self.table("authority.also", said.get("also", {})))
        return Authority(members["users"], members["automations"], members["systems"], also, "put back" if way == "put back" else "hold")

    def members(self, path: str, key: str, said: object) -> Iterator[str]:
        for each in self.words(path, said):
            if key == "users":
                user = self.user(path, each)
                if user is not None:
                    yield user
            elif each not in self.systems:
                self.tell(path, f"there is no system {each!r}", known(self.systems))
            else:
                yield each

    def user(self, path: str, said: str) -> str | None:
        """An address in small letters, or system and user id."""
        system, colon, id = said.partition(":")
        if not colon and "@" in said.strip("@"):
            return said.strip().lower()
        if colon and system not in self.systems:
            self.tell(path, f"there is no system {system!r}", known(self.systems))
        elif not colon or not id:
            self.tell(path, f"{said!r} names no user", _USER)
        else:
            return said
        return None

    def also(self, said: Mapping[str, Any]) -> dict[str, frozenset[str]]:
        places = {**{name: (name,) for name in (*self.funnel.stages, *self.funnel.sides)}, **self.funnel.members}
        found: dict[str, frozenset[str]] = {}
        for name, named in said.items():
            path = f"authority.also.{name}"
            if name not in places:
                self.tell(path, f"{name!r} is neither a stage, nor a group, nor a side state of the funnel", known(places))
            teams = frozenset(team for each in self.words(path, named) if (team := self.team(path, each)) is not None)
            for place in places.get(name, ()):
                found[place] = found.get(place, frozenset()) | teams
        return found

    def team(self, path: str, said: str) -> str | None:
        """The funnel's team of this name; since a key without quotes cannot have a blank, `business_development` is one too."""
        teams = {stage.team: stage.team for stage in self.funnel.stages.values()}
        spelled = {team.casefold().replace(" ", "_"): team for team in teams}
        found = teams.get(said) or spelled.get(said.casefold().replace(" ", "_"))
        if found is None:
            self.tell(path, f"{said!r} owns no stage of the funnel", known(teams))
        return found

    def table(self, path: str, said: object, keys: Collection[str] | None = None) -> Mapping[str, Any]:
        """A table, with known keys only where they are given."""
        if not isinstance(said, Mapping):
            self.tell(path, "is not a table", f"Write [{path}] and one setting per line below it")
            return {}
        found = cast("Mapping[str, Any]", said)
        for key in found:
            if keys is not None and key not in keys:
                self.tell(f"{path}.{key}", "there is no such key", known(keys))
        return found

    def words(self, path: str, said: object) -> list[str]:
        if isinstance(said, list) and all(isinstance(each, str) and each for each in cast("list[object]", said)):
            return cast("list[str]", said)
        self.tell(path, "is not a list of names", 'Write them in quotes and brackets, such as ["salesforce"]')
        return []
