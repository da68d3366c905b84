"""The course of `sync` and `apply`: plan, ask where that is due, apply, and tell what came of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from ...model.errors import ConfigurationError, SafetyStop
from ...state import actions
from ...sync import engine
from ...sync.engine import PlanReport, RunReport
from ...sync.sending.drift import count_drifted
from ...sync.session import Session
from ..accounts import ACCOUNT_DIGEST
from ..configuration.loading import load
from ..migrating import gate
from ..running import Running, after, running
from ..terminal import interrupts, output, summary
from ..terminal.shell import INTERRUPTED
from ..views.plan import plan_text
from ..views.run import run_json, run_text
from . import people, planning


@dataclass(frozen=True, slots=True)
class Wishes:
    """What somebody asked for on the command line."""

    yes: bool = False
    approve: str | None = None
    dry_run: bool = False
    limit: int | None = None
    canary: int | None = None
    only: tuple[str, ...] = ()
    json: bool = False
    strict: bool = False


def sync(config_file: Path | None, wishes: Wishes) -> int:
    """Run; returns the exit code. Raises what stops a run."""
    if wishes.approve and (wishes.only or wishes.dry_run):
        raise ConfigurationError("--approve carries out a stored plan as it is", where="sync", next_step="leave out --only and --dry-run")
    if wishes.canary and (wishes.limit or wishes.dry_run):
        raise ConfigurationError("--canary goes on with everybody once the first ones landed", where="sync", next_step="leave out --limit and --dry-run")
    with interrupts.abrupt(), running("sync", load(config_file), wishes.approve) as run:
        session = run.session
        if wishes.approve and not wishes.approve.startswith(ACCOUNT_DIGEST):
            return _apply_stored(run, wishes, wishes.approve)
        if not wishes.dry_run:
            gate.expect_none_under_way(session)
        report = engine.plan(session, people.named(wishes.only))
        run.display.hide()
        if wishes.dry_run:
            planning.show(session, report, json=wishes.json, out=None)
            return 0
        _ask(session, report, wishes)
        return _apply(run, report.run, wishes, planned=report)


def _ask(session: Session, report: PlanReport, wishes: Wishes) -> None:
    """Get the answers that the plan needs, from `--yes` or from somebody at a terminal. Raises `SafetyStop` where there is none."""
    open_ones = [stop for stop in report.stops if not (stop.by_yes and wishes.yes)]
    if not open_ones:
        return
    grave = [stop for stop in open_ones if not stop.by_yes]
    otherwise = f"look at it with `stagesync plan --out plan.html`; {summary.approval(report)}"
    if not grave and not wishes.json and output.approved(lambda: plan_text(session, planning.with_companies(session, report)), otherwise):
        return
    planning.show(session, report, json=wishes.json, out=None)
    remedy = summary.approval(report) if grave else f"run `stagesync sync --yes`, or {summary.approval(report)}"
    raise SafetyStop(f"stopped before the first write: {summary.reasons(grave or open_ones)}", next_step=remedy)


def _apply_stored(work: Running, wishes: Wishes, digest: str) -> int:
    row = engine.load_plan(work.session, digest)
    gate.expect_none_under_way(work.session, stored=row.id)
    if wishes.strict and (drifted := count_drifted(work.session, row.id)):
        raise SafetyStop(
            f"{drifted:,} records were edited since this plan was made, and --strict applies all or nothing",
            where=f"--approve {digest}",
            next_step="run `stagesync plan` again, or leave out --strict",
        )
    return _apply(work, row.id, wishes)


def _apply(work: Running, run: int, wishes: Wishes, planned: PlanReport | None = None) -> int:
    session = work.session
    wanted = _on_record(session, run)
    with interrupts.gentle() as stop:
        report = engine.apply(replace(session, stop=stop.is_set), run, stored=planned is None, limit=wishes.limit, planned=planned, first=wishes.canary)
        stopped = stop.is_set()
    work.display.hide()
    after(session, report)
    _tell(report, wishes)
    if report.error is not None:
        raise report.error
    if stopped:
        output.tell(f"stagesync: stopped when asked to; {wanted - _on_record(session, run):,} writes are left for the next run")
        return INTERRUPTED
    return report.exit_code(again=planned is not None)


def _tell(report: RunReport, wishes: Wishes) -> None:
    if wishes.json:
        output.say_json(run_json(report))
    else:
        output.say_all(run_text(report))


def _on_record(session: Session, run: int) -> int:
    """The run's writes, in whatever state; what was not even begun is dropped at its end."""
    with session.store.read() as tx:
        counted = actions.tally(tx, run)
    return sum(count for (_, op, _), count in counted.items() if op in actions.WRITES)
