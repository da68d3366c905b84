"""One run of a workspace without anybody at a terminal: the same course as `sync`, where every question stops it; or a look of its shadow."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog

from ...model.errors import SafetyStop, StagesyncError
from ...model.ports import Clock
from ...state import accounts, runs
from ...sync import engine
from ...sync.engine import PlanReport, RunReport
from ...sync.shadows import shadow
from .. import wiring
from ..migrating.gate import expect_none_under_way
from ..running import after, doubting
from ..terminal import logs, summary
from ..terminal.shell import BUG, INTERRUPTED, place_of
from ..wiring import Place

WORDS = {0: "done", 1: "attention", 2: "configuration", 3: "stopped", 4: "unreachable", 5: "state", BUG: "bug", INTERRUPTED: "interrupted"}
"""Exit code of the command `sync` -> the word under which a run of the service is counted."""
_SLICE_S = 0.1
log = structlog.get_logger("stagesync.service")


class Asked(StagesyncError):
    """The service is to end: what was read and planned so far is kept, and the next run goes on from there."""

    exit_code = INTERRUPTED

    def __init__(self) -> None:
        super().__init__("stopped when asked to", next_step="the next start goes on from there")


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended. `code`: as the exit code of `sync`; `reason`: why it did not come to its end, with what to do; `run`: its number, where it has one."""

    code: int
    reason: str = ""
    run: int | None = None
    plan: PlanReport | None = None
    report: RunReport | None = None

    @property
    def outcome(self) -> str:
        """One word for it."""
        return WORDS[self.code]

    @property
    def failed(self) -> bool:
        """Something does not work, as against a question to somebody."""
        return self.code not in (0, 1, 3, INTERRUPTED)


def course(place: Place, stop: threading.Event) -> Ended:
    """Run the workspace, whose lease is held; never raises. `stop`: the batch in hand is the last."""
    plan = report = None
    before = 0
    try:
        before = _last(place)
        _synced(place)
        with wiring.connected(place, _until(stop)) as wired, doubting(wired):
            session = replace(wired, tell=_tell, begun=logs.run_begins)
            expect_none_under_way(session)
            plan = engine.plan(replace(session, clock=_Woken(place.clock, stop)))
            if place.config.shadow:
                report = shadow.follow(session, plan)
                return Ended(0, "", report.run, plan, report)
            if plan.stops:
                raise SafetyStop(f"stopped before the first write: {summary.reasons(plan.stops)}", next_step=summary.approval(plan))
            report = engine.apply(replace(session, stop=stop.is_set, progress=_quiet), plan.run, planned=plan)
            after(session, report)
            if report.error is not None:
                raise report.error
        if stop.is_set():
            raise Asked
        return Ended(report.exit_code(again=True), "", report.run, plan, report)
    except StagesyncError as error:
        return Ended(error.exit_code, str(error), _new(place, before), plan, report)
    except Exception as error:  # noqa: BLE001 - a bug in one run must not end the service; the message of an unforeseen error may hold somebody's data
        return Ended(BUG, f"this is a bug in stagesync: {place_of(error)}", _new(place, before), plan, report)


def _synced(place: Place) -> None:
    """The first run of a workspace needs somebody who looks at its plan; a shadow's writes nothing, and needs nobody."""
    if place.config.shadow:
        return
    with place.store.read() as tx:
        if accounts.workspace(tx, place.config.workspace).synced:
            return
    raise SafetyStop(
        "this workspace was never synced, and the first run is made by hand",
        where=str(place.config.path),
        next_step="look at `stagesync plan`, run `stagesync sync`",
    )


@dataclass(frozen=True, slots=True)
class _Woken:
    """A clock whose waits end when the service does: only where nothing is being sent."""

    clock: Clock
    stop: threading.Event

    def now_ms(self) -> int:
        """The present moment in milliseconds since 1970."""
        return self.clock.now_ms()

    def monotonic(self) -> float:
        """Seconds that only grow."""
        return self.clock.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait. Raises `Asked`."""
        while seconds > 0:
            if self.stop.is_set():
                raise Asked
            self.clock.sleep(min(seconds, _SLICE_S))
            seconds -= _SLICE_S


def _until(stop: threading.Event) -> Callable[[str, int], None]:
    """The progress callback while nothing is written: between two commits is a good place to end."""

    def progress(_what: str, _count: int) -> None:
        if stop.is_set():
            raise Asked

    return progress


def _quiet(_what: str, _count: int) -> None:
    """Nobody looks."""


def _tell(sentence: str) -> None:
    log.info("note", note=sentence)


def _last(place: Place) -> int:
    with place.store.read() as tx:
        row = runs.last(tx, place.id)
    return 0 if row is None else row.id


def _new(place: Place, before: int) -> int | None:
    """The run that was begun since, if the state still answers."""
    try:
        return last if (last := _last(place)) > before else None
    except StagesyncError:
        return None
