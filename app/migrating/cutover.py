"""The cutover: what changed since is brought over, as often as it takes, and from then on a sync goes on with the same state."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from ...model.errors import ConfigurationError, SafetyStop
from ...sync import engine
from ...sync.engine import PlanReport, RunReport
from ...sync.migrating.fates import Fates, fates
from ...sync.migrating.opening import open_up
from ..running import after
from ..terminal import interrupts, output, summary
from ..terminal.shell import INTERRUPTED
from .work import Way, Work, under_way


@dataclass(frozen=True, slots=True)
class CutOver:
    """What the cutover came to. `directions`: system -> in which direction the configuration has it; `opened`: records of the target that have a say now.

    `opened` is None where only what is edited from now on counts. `whole`: all of it was written; else nothing is cut over yet.
    """

    source: str
    target: str
    report: RunReport
    fates: Fates
    directions: dict[str, str]
    opened: int | None
    whole: bool = True

    @property
    def both_ways(self) -> bool:
        """A sync from now on writes to the source, too."""
        return self.directions[self.source] != "read" and self.directions[self.target] != "write"


def cut_over(config_file: Path | None, way: Way, *, yes: bool, two_way: bool) -> tuple[CutOver, int]:
    """Bring over what changed; what came of it, and the exit code. Raises what stops a run."""
    with interrupts.abrupt(), under_way("cutover", config_file, way, after="load") as work:
        directions = {name: work.running.place.config.systems[name].direction for name in (work.pair.source.name, work.pair.target.name)}
        _expect_both_ways(work, directions, two_way=two_way)
        planned = engine.plan(work.session)
        _agree(work, planned, yes=yes)
        with interrupts.gentle() as stop:
            report = engine.apply(replace(work.session, stop=stop.is_set), planned.run, planned=planned)
            stopped = stop.is_set()
        after(work.session, report)
        if report.error is not None:
            raise report.error
        whole = not (stopped or report.left)
        opened = open_up(work.session, work.pair) if two_way and whole else None
        work.running.display.hide()
        counted = fates(work.session, work.pair, work.passage.first_run)
        found = CutOver(work.pair.source.name, work.pair.target.name, report, counted, directions, opened, whole)
        if stopped:
            output.tell("stagesync: stopped when asked to; `stagesync migrate cutover` goes on where it was")
            return found, INTERRUPTED
        code = report.exit_code(again=False)
        if not whole:
            return found, code
        work.end("cutover", {"run": report.run, "two_way": two_way, "fates": [[*key, count] for key, count in sorted(counted.told.items())]})
        return found, code


def _expect_both_ways(work: Work, directions: dict[str, str], *, two_way: bool) -> None:
    source, target = work.pair.source.name, work.pair.target.name
    for name, one_way in ((source, "read"), (target, "write")):
        if two_way and directions[name] == one_way:
            raise ConfigurationError(
                f"{name} has direction = {one_way!r}, so that no sync goes both ways", where=f"systems.{name}.direction", next_step='write direction = "both"'
            )


def _agree(work: Work, planned: PlanReport, *, yes: bool) -> None:
    """The guards of any run stand; a yes lifts what it lifts there. Raises `SafetyStop`."""
    stops = [stop for stop in planned.stops if not (stop.by_yes and yes)]
    if not stops:
        return
    work.running.display.hide()
    grave = [stop for stop in stops if not stop.by_yes]
    told = summary.reasons(grave or stops)
    if not grave and output.approved(lambda: [f"Before anything is written: {told}."], summary.approval(planned)):
        return
    remedy = f"{summary.approval(planned)}, then cut over again" if grave else "run `stagesync migrate cutover --yes`"
    raise SafetyStop(f"stopped before the first write: {told}", next_step=remedy)
