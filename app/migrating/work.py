"""What every phase of a migration needs: the workspace held, the way that is meant, and how far the migration has come."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

import orjson

from ...mapping.problems import closest
from ...model.errors import ConfigurationError, SafetyStop
from ...state import passage, runs
from ...state.passage import Passage
from ...state.store import Tx
from ...sync.migrating.pair import Pair, one_way, pair_of
from ...sync.session import Session
from .. import accounts
from ..configuration.config import Config
from ..configuration.loading import load
from ..running import Running, running
from ..wiring import Place

Phase: TypeAlias = Literal["survey", "rehearse", "load", "verify", "cutover"]
PHASES: tuple[Phase, ...] = get_args(Phase)
SURVEY_SHOWS = "`stagesync migrate survey` shows what would become of everybody"
"""What to do for whoever did not say yes."""


class Way(NamedTuple):
    """From which system to which, by their names in the configuration; None where nothing is said."""

    source: str | None = None
    target: str | None = None


@dataclass(slots=True)
class Work:
    """One phase under way. `session`: only the two systems, one to read and one to write."""

    running: Running
    session: Session
    pair: Pair
    passage: Passage

    def note(self, phase: Phase, told: Mapping[str, Any]) -> None:
        """Keep what is known of a phase."""
        with self.session.store.write() as tx:
            self.passage = passage.note(tx, self.passage, phase, told)

    def ground(self) -> str:
        """A fingerprint of all that decides beside the records: the maps, the settings, the policy, and what both accounts look like."""
        place, desk = self.running.place, self.session.desk
        known = [accounts.recall(place.store, place.id, place.config.systems[each.name], None) for each in self.pair]
        decides = [desk.maps.digest, desk.settings, desk.policy.authority, desk.policy.sla, [(each.identity, each.description) for each in known if each]]
        return hashlib.sha256(orjson.dumps(decides, option=orjson.OPT_SORT_KEYS, default=_plain)).hexdigest()[:16]

    def expect_mapping_of_survey(self, phase: Phase) -> None:
        """What the survey showed was shown under the maps of that time. Raises `SafetyStop` where they are others now."""
        if self.passage.phases["survey"]["mapping"] != self.session.desk.maps.digest:
            raise SafetyStop(
                "the mapping, funnel or rules changed since the survey", where=f"migrate {phase}", next_step="run `stagesync migrate survey` again"
            )

    def end(self, phase: Phase, told: Mapping[str, Any]) -> None:
        """The phase came to its end, with these numbers."""
        self.note(phase, {**told, "ended_at": self.session.clock.now_ms()})


def _plain(value: Any) -> Any:
    """What JSON has no form for, the same in every process."""
    return sorted(value) if isinstance(value, frozenset) else str(value)


def meant(config: Config, way: Way, known: Sequence[Passage]) -> tuple[str, str]:
    """The way that is meant: what is said, else that of the migration that was worked on last. Raises `ConfigurationError` where nobody can tell."""
    source, target = way
    if source is None and target is None:
        if not known:
            raise ConfigurationError(
                "nobody has said from where to where", where="migrate", next_step="write for example `stagesync migrate survey --from hubspot --to salesforce`"
            )
        source, target = known[0].source, known[0].target
    for option, name in (("--from", source), ("--to", target)):
        if name is None:
            raise ConfigurationError("only one of the two systems is named", where=option, next_step="give both --from and --to")
        if name not in config.systems:
            raise ConfigurationError(f"no system is called {name!r}", where=option, next_step=closest(name, config.systems))
    if source == target or source is None or target is None:
        raise ConfigurationError("both are the same system", where="--to", next_step="name another one")
    return source, target


def known_of(tx: Tx, place: Place, way: Way) -> list[Passage]:
    """The migrations that are meant, the one that was worked on last first: all where nothing is said. Raises `ConfigurationError` for no way at all."""
    known = passage.of_workspace(tx, place.id)
    if way == Way():
        return known
    source, target = meant(place.config, way, known)
    return [each for each in known if (each.source, each.target) == (source, target)]


@contextmanager
def under_way(phase: Phase, config_file: Path | None, way: Way, *, after: Phase | None = None) -> Iterator[Work]:
    """A phase, for the length of the block. `after`: the phase that must have come to its end before. Raises `ConfigurationError` where it has not."""
    config = load(config_file)
    if way != Way():
        meant(config, way, ())  # a slip is told before any system is called
    with running(f"migrate {phase}", config) as run:
        store, workspace = run.session.store, run.session.workspace
        with store.write() as tx:
            known = passage.of_workspace(tx, workspace)
            source, target = meant(run.place.config, way, known)
            found = next((each for each in known if (each.source, each.target) == (source, target)), None)
            if after is not None and (found is None or not found.ended(after)):
                raise ConfigurationError(
                    f"the {after} comes first", where=f"migrate {phase}", next_step=f"run `stagesync migrate {after} --from {source} --to {target}`"
                )
            if found is None:
                last = runs.last(tx, workspace)
                found = passage.begin(tx, workspace, source, target, run.session.clock.now_ms(), last.id + 1 if last is not None else 1)
        session = one_way(run.session, source, target)
        yield Work(run, session, pair_of(session, source, target), found)
