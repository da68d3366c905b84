"""What a run works with: the state, the open systems, and how it tells what it is doing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..connectors.contract import Connector
from ..model.ports import Clock
from ..model.writes import Step, Write
from ..state.store import Store
from .actors import Actors
from .beside import THREADS, Beside
from .deciding.desk import Desk, System
from .deciding.guard import DEFAULT_LIMITS, Limit

Progress = Callable[[str, int], None]
"""Called with what is being done ("hubspot: reading") and how many so far."""


def quiet(what: str, count: int) -> None:
    """No progress display."""


def silent(sentence: str) -> None:
    """Nobody listens."""


def unnoticed(run: int) -> None:
    """Nobody keeps a log."""


def never() -> bool:
    """Nobody asks to stop."""
    return False


@dataclass(frozen=True, slots=True)
class Connected:
    """One system with its open connector. `own_actor`: by what its vendor names our own writes. `users`: id -> address, as the account lists them."""

    system: System
    connector: Connector
    own_actor: str | None = None
    users: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def name(self) -> str:
        """The system's name in the configuration."""
        return self.system.name


@dataclass(frozen=True, slots=True)
class Session:
    """Everything a run needs, wired by `app`. `name` and `workspace`: the workspace's name and number; `systems`: by account number."""

    store: Store
    name: str
    workspace: int
    systems: Mapping[int, Connected]
    desk: Desk
    clock: Clock
    limits: Mapping[str, Limit] = field(default_factory=lambda: DEFAULT_LIMITS)
    progress: Progress = quiet
    tell: Callable[[str], None] = silent
    """Called with a sentence that somebody should read at once, whether or not there is a progress display."""
    begun: Callable[[int], None] = unnoticed
    """Called with the number of the run that begins, or that is carried out from here on."""
    sweep_every_ms: int = 24 * 3600 * 1000
    beside: Beside = THREADS
    stop: Callable[[], bool] = never
    """Somebody wants the run to end after the batch in hand."""
    signals: bool = False
    """Events that are evidence are read and kept."""

    @property
    def actors(self) -> Actors:
        """Who somebody is, as far as the accounts have told."""
        return Actors({each.name: each.users for each in self.systems.values()}, {each.name: each.own_actor for each in self.systems.values()})

    def asks(self, account: int) -> dict[str, tuple[str, ...]]:
        """Kind -> native fields to read."""
        return {name: kind.asks for name, kind in self.systems[account].system.map.kinds.items()}

    def expand(self, account: int, write: Write) -> Sequence[Step]:
        """The steps that the system needs for a write."""
        return self.systems[account].connector.expand(write)

    def expand_freeing(self, account: int, write: Write) -> Sequence[Step]:
        """As `expand`, but first of all the values are cleared of which the system refuses a second: two people swap them."""
        freed = [native for native in write.values if native in self.systems[account].connector.capabilities.unique and write.before.get(native) is not None]
        steps = self.expand(account, replace(write, before={**write.before, **dict.fromkeys(freed)}))
        if not freed:
            return steps
        return [Step(write.id, 1, "update", write.kind, write.ref, dict.fromkeys(freed)), *(replace(step, number=step.number + 1) for step in steps)]
