"""What `check` looks at: each system by itself, then all of them together. Trouble with one never hides trouble with another."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...connectors.contract import AccountId, Connector, SystemDescription
from ...connectors.rights import Scoped
from ...mapping.fields import GROUPS
from ...mapping.maps import Maps
from ...mapping.problems import Problems
from ...model.errors import ConfigurationError, QuotaSpent, StagesyncError, Unreachable
from .. import accounts, hooks, wiring
from ..configuration.config import Config
from ..configuration.loading import mistakes, read
from ..configuration.maps import Seen, compile_for
from ..configuration.system_config import MAPPING_KEYS, SystemConfig
from ..configuration.teams import resolve
from ..serving.forecast import Cost, forecast
from ..standing.unmapped import Unmapped, told, unmapped_values
from . import comparing, expressing


@dataclass(slots=True)
class Findings:
    """`systems`: what was found in order, by name. `problems` prevent a sync or the service, `notes` do not. `later`: all problems may pass by themselves.

    `unmapped`: stage values that runs met and nobody mapped.
    """

    systems: dict[str, str] = field(default_factory=dict[str, str])
    problems: list[str] = field(default_factory=list[str])
    notes: list[str] = field(default_factory=list[str])
    later: bool = True
    unmapped: list[Unmapped] = field(default_factory=list[Unmapped])

    def wrong(self, error: StagesyncError) -> None:
        """Something that prevents a sync or the service. A configuration error brings each of its problems by itself."""
        self.later = self.later and isinstance(error, (Unreachable, QuotaSpent))
        if isinstance(error, ConfigurationError) and error.problems:
            self.problems.extend(error.problems)
        else:
            self.problems.append(str(error))

    def note(self, sentence: str) -> None:
        """Something to know, once."""
        if sentence not in self.notes:
            self.notes.append(sentence)

    @property
    def exit_code(self) -> int:
        """0 fine; 2 something must be mended; 4 only something that may pass."""
        return (4 if self.later else 2) if self.problems else 0

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        told = {"ok": not self.problems, "systems": self.systems, "problems": self.problems, "notes": self.notes}
        return {**told, "unmapped": [each.as_json() for each in self.unmapped]}

    def lines(self) -> Iterator[str]:
        """For people."""
        for name, found in self.systems.items():
            yield f"{name}: {found}"
        for title, listed in (("problems", self.problems), ("notes", self.notes)):
            if listed:
                yield f"{len(listed)} {title if len(listed) > 1 else title[:-1]}:"
                yield from ("  - " + each.replace("\n", "\n    ") for each in listed)
        yield "mend this first: `stagesync check` looks again" if self.problems else "ready: `stagesync plan` shows what a sync would do"


def check(config_file: Path | None) -> Findings:
    """Look at everything. Raises `ConfigurationError` for a file that cannot be read at all, `StateError` where the state fails."""
    config, found = begin(config_file)
    seen = look(config, found)
    _first_meeting(config, found)
    _hooks(config, found)
    if len(seen) == len(config.systems):
        _together(config, seen, found)
    return found


def begin(config_file: Path | None) -> tuple[Config, Findings]:
    """The configuration, with the mistakes of its funnel and maps: with these alone the accounts can be looked at all the same, and all is told at once.

    Raises `ConfigurationError` for any other mistake.
    """
    config, problems = read(config_file)
    if config is None or not all(map(_of_the_maps, problems)):
        raise mistakes(config_file, problems)
    return config, Findings(problems=list(problems), notes=list(config.notes), later=not problems)


def _of_the_maps(problem: str) -> bool:
    """A mistake in what things mean, not in how to reach them."""
    path = re.split(r"[.:\[]", problem, maxsplit=3)
    return path[0] in ("funnel", "fields") or (path[0] == "systems" and len(path) > 2 and path[2] in MAPPING_KEYS)


def look(config: Config, found: Findings) -> dict[str, tuple[AccountId, SystemDescription]]:
    """Every system's account as it is now, by name; a system that cannot be looked at is missing, and told."""
    seen: dict[str, tuple[AccountId, SystemDescription]] = {}
    with wiring.opened(config) as place:
        for name, system in config.systems.items():
            known = _look_at(place, name, system, found)
            if known is not None:
                seen[name] = (known.identity, known.description)
        with place.store.read() as tx:
            found.unmapped = unmapped_values(tx, place.id)
            for cost in forecast(tx, place.id, config.timetable.runs_a_day(place.clock.now_ms())):
                _afford(config, cost, found)
    return seen


def _afford(config: Config, cost: Cost, found: Findings) -> None:
    """A timetable that spends a whole day's calls on nothing."""
    share = getattr(config.systems[cost.system].settings, "daily_share", 1.0) if cost.system in config.systems else 1.0
    if cost.quiet and cost.share is not None and cost.share > share:
        found.note(f"schedule: {config.timetable} is more than the daily quota of {cost.system} allows: {cost}; write a longer `every` under [schedule]")


def _look_at(place: wiring.Place, name: str, system: SystemConfig, found: Findings) -> accounts.Known | None:
    try:
        connector = wiring.open_connector(place, system)
    except StagesyncError as error:
        found.wrong(error)
        found.systems[name] = "its settings cannot be used"
        return None
    try:
        known = accounts.ask(place.store, place.id, system, connector, place.clock.now_ms())
        lacks = _lacks(connector)
    except StagesyncError as error:
        found.wrong(error)
        found.systems[name] = error.what
        return None
    finally:
        connector.close()
    identity = known.identity
    label = identity.name if identity.id in identity.name else f"{identity.id} {identity.name}".rstrip()
    found.systems[name] = f"{identity.vendor} {label}; {_rights(known.description)}"
    for finding in (*known.description.findings, *lacks):
        found.note(f"{name}: {finding}")
    _quota(name, system, connector, found)
    return known


def _lacks(connector: Connector) -> Sequence[str]:
    """Good to know, and no reason to stop where nobody tells."""
    try:
        return connector.lacks() if isinstance(connector, Scoped) else ()
    except StagesyncError:
        return ()


def _rights(description: SystemDescription) -> str:
    parts: list[str] = []
    for kind in description.kinds.values():
        writable = sum(field.writable for field in kind.fields.values())
        parts.append(f"{kind.kind}: {len(kind.fields)} fields, {writable} writable")
    return "; ".join(parts)


def _quota(name: str, system: SystemConfig, connector: Connector, found: Findings) -> None:
    usage = connector.usage()
    if usage.daily_used is None or not usage.daily_limit:
        return
    found.systems[name] += f"; {usage.daily_used:,} of {usage.daily_limit:,} API calls of today used"
    share = getattr(system.settings, "daily_share", 1.0)
    if usage.daily_used >= share * usage.daily_limit:
        found.wrong(
            QuotaSpent("the share of the daily API calls that stagesync may use is spent", where=f"systems.{name}", next_step="wait, or raise daily_share")
        )


def _first_meeting(config: Config, found: Findings) -> None:
    open_groups = [group for group in GROUPS if group not in config.winners]
    if open_groups and len(config.systems) > 1:
        found.note(
            f"first_meeting: nobody wins {', '.join(open_groups)}: where two systems differ at the first meeting, people are held until somebody answers"
        )


def _hooks(config: Config, found: Findings) -> None:
    try:
        hooks.provable(config)
    except ConfigurationError as error:
        found.wrong(error)
    for note in hooks.notes(config):
        found.note(note)


def mapped(config: Config, seen: Seen, found: Findings) -> Maps:
    """The maps as far as they are right; what is wrong with them is found."""
    told = Problems()
    maps = compile_for(config, seen, told)
    if told.found:
        found.later = False
        found.problems.extend(problem for problem in told.found if problem not in found.problems)
    return maps


def _together(config: Config, seen: Seen, found: Findings) -> None:
    maps = mapped(config, seen, found)
    for note in maps.notes:
        found.note(note)
    descriptions = {name: description for name, (_, description) in seen.items()}
    said, aside = expressing.expressions(config.funnel, maps), expressing.asides(config.funnel, maps)
    for note in (
        *expressing.proofs(said),
        *told(found.unmapped, maps, config.funnel, descriptions),
        *comparing.unmapped_stages(maps, descriptions),
        *comparing.stage_order(maps, descriptions, config.funnel),
        *expressing.homeless(config.funnel, said),
        *expressing.losses(config.funnel, [each for each in said if not each.stand_in]),  # stand-ins are among the maps' notes
        *expressing.side_losses([each for each in aside if each.exact]),
        *comparing.missing_options(maps, descriptions),
        *(resolve(config.authority, descriptions)[1] if config.authority is not None else ()),
    ):
        found.note(note)
