"""The load: everybody is moved, within what the survey showed. Broken off anywhere and started again, it goes on and ends the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ...model.errors import ConfigurationError, SafetyStop
from ...state import runs
from ...state.runs import RunRow
from ...sync import engine
from ...sync.engine import PlanReport, RunReport
from ...sync.migrating.fates import Fates, fates
from ...sync.past import seeding
from ...sync.past.seeding import Seeding
from ...sync.sending.outcome import Count
from ...sync.session import Session
from ..running import after
from ..terminal import interrupts, output, summary
from ..terminal.shell import INTERRUPTED
from ..views.plan import writes_text
from .limits import beyond
from .work import SURVEY_SHOWS, Way, Work, under_way

SPEAKS_EVERY_S = 30.0
_ANSWERED = frozenset({"first", "mapping"})
"""What the survey's approval answers: the guards for amounts stand, measured by what the survey showed."""


@dataclass(slots=True)
class Loaded:
    """What the load came to. `runs`: what it was done in; `count`: records of the target; `new_holds`: questions that it brought up.

    `left`: its last run left something; what an earlier one left was taken up by the next. `whole`: it came to its end, and was not told to stop before.
    """

    source: str
    target: str
    runs: list[int] = field(default_factory=list[int])
    count: Count = field(default_factory=Count)
    new_holds: int = 0
    left: bool = False
    seconds: float = 0.0
    quota: Mapping[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])
    seeding: Seeding | None = None
    fates: Fates = field(default_factory=Fates)
    whole: bool = True

    def add(self, report: RunReport) -> None:
        """One more run of it."""
        mine = report.systems[self.target]
        for name in ("created", "updated", "archived", "rejected"):
            setattr(self.count, name, getattr(self.count, name) + getattr(mine, name))
        self.count.skipped, self.count.unknown, self.left = mine.skipped, mine.unknown, report.left
        self.runs.append(report.run)
        self.new_holds += report.new_holds
        self.quota = report.quota

    @property
    def exit_code(self) -> int:
        """1 where something was refused, left, or brought up a question."""
        return int(bool(self.new_holds or self.count.rejected or self.left))


def load(config_file: Path | None, way: Way, approve: str | None) -> tuple[Loaded, int]:
    """Move everybody; what came of it, and the exit code. Raises what stops a run."""
    with interrupts.abrupt(), under_way("load", config_file, way, after="survey") as work:
        _agree(work, approve)
        done = Loaded(work.pair.source.name, work.pair.target.name)
        work.running.display.speak(SPEAKS_EVERY_S, lambda: quota_text(engine.quota(work.session)))
        began = work.session.clock.monotonic()
        done.whole = _everybody(work, done) and _histories(work, done)
        found = _told(work, done, began)
        if not found.whole:
            output.tell("stagesync: stopped when asked to; `stagesync migrate load` goes on where it was")
            return found, INTERRUPTED
        work.end("load", {**work.passage.phases["load"], "runs": done.runs, "fates": [[*key, count] for key, count in sorted(found.fates.told.items())]})
        return found, found.exit_code


def _told(work: Work, done: Loaded, began: float) -> Loaded:
    work.running.display.hide()
    done.seconds = work.session.clock.monotonic() - began
    done.fates = fates(work.session, work.pair, work.passage.first_run)
    return done


def _agree(work: Work, approve: str | None) -> None:
    """The survey is the measure: its digest is somebody's yes, once. Raises `SafetyStop` without it, and where the survey is out of date."""
    survey = work.passage.phases["survey"]
    work.expect_mapping_of_survey("load")
    if approve is not None and approve != survey["digest"]:
        raise ConfigurationError(
            f"that is not the digest of the last survey: {approve}", where="--approve", next_step="run `stagesync migrate survey` and approve its digest"
        )
    if approve is None and work.passage.phases.get("load", {}).get("approved") != survey["digest"]:
        _ask(survey["digest"], survey["writes"], work.pair.target.name)
    begun = work.passage.phases.get("load", {})
    work.note("load", {**begun, "approved": survey["digest"], "began_at": begun.get("began_at", work.session.clock.now_ms())})


def _ask(digest: str, writes: Mapping[str, int], target: str) -> None:
    told = writes_text(writes)
    if output.approved(lambda: [f"The survey showed for {target}: {told}."], SURVEY_SHOWS):
        return
    raise SafetyStop(
        f"stopped before the first write: nobody has approved the survey ({target}: {told})", next_step=f"run `stagesync migrate load --approve {digest}`"
    )


def _everybody(work: Work, done: Loaded) -> bool:
    """What the survey planned is carried out, as far as it still stands, and only for whoever is left is planned anew; for everybody where the plan is gone."""
    row = _surveyed(work)
    if row is None:
        return _move(work, done)
    return _carry_out(work, done, _within(work, done, lambda session: engine.take_up(session, row)), stored=True) and _left(work, done)


def _surveyed(work: Work) -> RunRow | None:
    """The survey's run, where its plan lies there still and was made as it would be made now."""
    survey = work.passage.phases["survey"]
    with work.session.store.read() as tx:
        row = runs.by_id(tx, survey["run"])
    return row if row is not None and row.state == "planned" and survey.get("ground") == work.ground() else None


def _within(work: Work, done: Loaded, plan: Callable[[Session], PlanReport]) -> PlanReport:
    """A plan that keeps to what the survey showed and was not done yet. What the load made itself it may also fill in. Raises `SafetyStop` for one that
    does not keep to it.
    """
    shown, made = work.passage.phases["survey"]["writes"], done.count.created
    still = {**shown, "creates": max(0, shown.get("creates", 0) - made), "fills": shown.get("fills", 0) + made}
    planned = plan(replace(work.session, limits=beyond(work.session.limits, still)))
    stops = [stop for stop in planned.stops if stop.kind not in _ANSWERED]
    if stops:
        raise SafetyStop(
            f"stopped before the first write, since the survey did not show it: {summary.reasons(stops)}",
            next_step="run `stagesync migrate survey` again, look at what changed, and approve the new digest",
        )
    return planned


def _move(work: Work, done: Loaded) -> bool:
    """Plan whoever is to be looked at, and carry that out; whether it came to its end. Raises what stopped it."""
    return _carry_out(work, done, _within(work, done, engine.plan), stored=False)


def _left(work: Work, done: Loaded) -> bool:
    """The same, unless nobody is left to be looked at."""
    return not engine.somebody_waits(work.session) or _move(work, done)


def _carry_out(work: Work, done: Loaded, planned: PlanReport, *, stored: bool) -> bool:
    work.running.display.expect(f"{work.pair.target.name}: writing", planned.tally.records)
    with interrupts.gentle() as stop:
        report = engine.apply(replace(work.session, stop=stop.is_set), planned.run, stored=stored, planned=planned)
        stopped = stop.is_set()
    done.add(replace(report, new_holds=0, drifted=0) if stored else report)  # its questions were the survey's, and whoever is left is planned anew
    after(work.session, report)
    if report.error is not None:
        raise report.error
    return not stopped


def _histories(work: Work, done: Loaded) -> bool:
    """The source's own histories tell how people came to where they stand; dates of stages that follow from them are moved in a second run, and with them
    whoever was left by the first."""
    ahead = seeding.estimate(work.session)
    work.running.display.expect("reading histories", ahead.people)
    with interrupts.gentle() as stop:
        done.seeding = seeding.seed(replace(work.session, stop=stop.is_set))
        stopped = stop.is_set()
    return not stopped and _left(work, done)


def quota_text(quota: Mapping[str, tuple[int, int]]) -> str:
    """Of which systems how many of the day's calls are used."""
    told = ", ".join(f"{system} {used:,} of {limit:,}" for system, (used, limit) in quota.items())
    return f"calls today: {told}" if told else ""
