"""The rehearsal: a few people are moved, read back and, if somebody likes, put back, before everybody follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ...model.errors import ConfigurationError, SafetyStop
from ...state import links, runs
from ...state.runs import RunRow
from ...sync import engine
from ...sync.engine import PlanReport, RunReport
from ...sync.looking.verify import Verification, verify_people
from ...sync.migrating.rehearsal import Example, examples, forget_rehearsal, moved_by
from ...sync.undoing.undo import UndoPlan, plan_undo
from ..running import after
from ..terminal import interrupts, output, summary
from ..views import words
from ..views.plan import writes_text
from .limits import beyond
from .work import SURVEY_SHOWS, Way, Work, under_way

_ENDED = ("applied", "stopped")
_BROKEN = ("applying", "broken")
"""States of a run that began to write and did not come to its end: what became of its writes is found out by the next run."""


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What a rehearsal came to. `chosen`: who, and what each shows; `people`: those about whom it decided; `compared`: them, as they were read back.

    `left`: those of them who have no record in the target; `digest`: the survey's, which approves the load; `stopped`: somebody said stop while it wrote.
    """

    source: str
    target: str
    chosen: Sequence[Example]
    people: Sequence[int]
    left: Sequence[int]
    report: RunReport
    compared: Verification
    digest: str
    stopped: bool

    @property
    def landed(self) -> bool:
        """All of it arrived as wanted."""
        return self.compared.proved and not self.report.rejected and not self.left


@dataclass(frozen=True, slots=True)
class PutBack:
    """What was undone of rehearsals. `people`: whom the load will move as if they had never been. `broken`: runs that broke off, and that the load finishes."""

    undone: Sequence[tuple[UndoPlan, RunReport | None]]
    people: int
    broken: Sequence[int] = ()

    @property
    def refused(self) -> int:
        """What could not be put back."""
        return sum(len(made.refusals) for made, _ in self.undone)


def rehearse(config_file: Path | None, way: Way, number: int, *, yes: bool) -> Rehearsed:
    """Move so many people and read them back. Raises what stops a run."""
    with interrupts.abrupt(), under_way("rehearse", config_file, way, after="survey") as work:
        work.expect_mapping_of_survey("rehearse")
        chosen = examples(work.session, work.pair, number)
        if not chosen:
            raise ConfigurationError("nobody is left who could be moved", where="migrate rehearse", next_step="run `stagesync migrate load`, or survey again")
        planned = engine.plan(work.session, [example.name for example in chosen], keep=work.passage.phases["survey"]["run"])
        _ask(work, planned, len(chosen), yes=yes)
        work.note("rehearse", {"runs": [*_runs(work), planned.run]})  # before it writes: whatever becomes of us, it can be put back
        with interrupts.gentle() as stop:  # a run that ends its batch can be put back, one that breaks off cannot
            report = engine.apply(replace(work.session, stop=stop.is_set), planned.run, planned=planned)
            stopped = stop.is_set()
        after(work.session, report)
        with work.session.store.read() as tx:
            people = moved_by(tx, planned.run)
            there = links.there(tx, people, work.pair.goal.account)
        if report.error is not None:
            raise report.error
        compared = verify_people(work.session, people)
        left = [number for number in people if number not in there]
        found = Rehearsed(*_names(work), chosen, people, left, report, compared, str(work.passage.phases["survey"]["digest"]), stopped)
        work.end("rehearse", {"runs": _runs(work), "people": len(people), "landed": found.landed})
        work.running.display.hide()
        if stopped:
            output.tell("stagesync: stopped when asked to; `stagesync migrate rehearse --undo` puts back what was written")
        return found


def put_back(config_file: Path | None, way: Way) -> PutBack:
    """Undo all rehearsals, the last one first, and let their people be moved by the load like everybody. Raises what stops a run."""
    with interrupts.abrupt(), under_way("rehearse", config_file, way, after="survey") as work:
        if not _runs(work):
            raise ConfigurationError("there was no rehearsal", where="migrate rehearse --undo", next_step="run `stagesync migrate rehearse` first")
        with work.session.store.read() as tx:
            rows = [row for run in reversed(_runs(work)) if (row := runs.by_id(tx, run)) is not None]
        undone: list[tuple[UndoPlan, RunReport | None]] = []
        people = 0
        for row in rows:
            if row.state in _ENDED:
                undone.append(_undo(work, row))
                people += forget_rehearsal(work.session, work.pair, row.id)
        work.note("rehearse", {})
        work.running.display.hide()
        return PutBack(undone, people, [row.id for row in rows if row.state in _BROKEN])


def _undo(work: Work, row: RunRow) -> tuple[UndoPlan, RunReport | None]:
    """What a rehearsal made may be archived again, however many that is."""
    run, counts = row.id, row.counts
    written = int(counts.get("updated", 0))
    allowed = {"archives": int(counts.get("created", 0)), **dict.fromkeys(("updates", "fills", "clears", "lowerings"), written)}
    session = replace(work.session, limits=beyond(work.session.limits, allowed))
    made = plan_undo(session, run)
    grave = [stop for stop in made.plan.stops if not stop.by_yes]
    if grave:
        raise SafetyStop(f"stopped before the first write: {summary.reasons(grave)}", next_step=f"look at it with `stagesync undo {run} --dry-run`")
    if made.empty:
        return made, None
    report = engine.apply(session, made.plan.run, planned=made.plan)
    if report.error is not None:
        raise report.error
    return made, report


def _ask(work: Work, planned: PlanReport, number: int, *, yes: bool) -> None:
    """A rehearsal writes, so somebody says yes. Raises `SafetyStop` where nobody does, and where a guard stands that a yes does not lift."""
    grave = [stop for stop in planned.stops if not stop.by_yes]
    if grave:
        raise SafetyStop(f"stopped before the first write: {summary.reasons(grave)}", next_step=summary.approval(planned))
    if yes:
        return
    work.running.display.hide()
    told = writes_text({kind: count for (_, kind), count in planned.tally.writes.items()})
    if output.approved(lambda: [f"{words.count(number, 'person', 'people')} of {work.pair.source.name} to {work.pair.target.name}: {told}."], SURVEY_SHOWS):
        return
    raise SafetyStop(f"stopped before the first write: a rehearsal wants a yes ({told})", next_step="run `stagesync migrate rehearse --yes`")


def _runs(work: Work) -> list[int]:
    return list(work.passage.phases.get("rehearse", {}).get("runs", ()))


def _names(work: Work) -> tuple[str, str]:
    return work.pair.source.name, work.pair.target.name
