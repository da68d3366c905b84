"""The course of `undo`: make the inverse plan, show it, ask, carry it out, and tell what came of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from ...model.errors import SafetyStop
from ...sync import engine
from ...sync.undoing.undo import UndoPlan, plan_undo
from ..configuration.loading import load
from ..running import Running, after, running
from ..terminal import interrupts, output, summary
from ..terminal.shell import INTERRUPTED
from ..views.run import run_json, run_text
from ..views.undo import outcome_json, stays, title, undo_json, undo_text
from . import people


@dataclass(frozen=True, slots=True)
class Wishes:
    """What somebody asked for on the command line."""

    yes: bool = False
    dry_run: bool = False
    only: tuple[str, ...] = ()
    json: bool = False


def undo(config_file: Path | None, run: int, wishes: Wishes) -> int:
    """Undo that run; returns the exit code: 1 where something was refused or left. Raises what stops it."""
    with interrupts.abrupt(), running("undo", load(config_file)) as work:
        made = plan_undo(work.session, run, people.named(wishes.only))
        work.display.hide()
        if wishes.dry_run or made.empty:
            _show(work, made, wishes)
            return 0 if wishes.dry_run else int(bool(made.refusals))
        _ask(work, made, wishes)
        return _apply(work, made, wishes)


def _show(work: Running, made: UndoPlan, wishes: Wishes) -> None:
    if wishes.json:
        output.say_json(undo_json(work.session, made))
    else:
        output.say_all(undo_text(work.session, made))


def _ask(work: Running, made: UndoPlan, wishes: Wishes) -> None:
    """An undo always wants an answer: from `--yes`, or from somebody at a terminal. Raises `SafetyStop` where there is none."""
    grave = [stop for stop in made.plan.stops if not stop.by_yes]
    if wishes.yes and not grave:
        return
    approval = f"carry out exactly this plan with `stagesync apply --approve {made.plan.digest}`"
    if not grave and not wishes.json and output.approved(lambda: undo_text(work.session, made), approval):
        return
    _show(work, made, wishes)
    if grave:
        raise SafetyStop(f"stopped before the first write: {summary.reasons(grave)}", next_step=approval)
    raise SafetyStop("stopped before the first write: an undo wants a yes", next_step=f"run `stagesync undo {made.target.id} --yes`, or {approval}")


def _apply(work: Running, made: UndoPlan, wishes: Wishes) -> int:
    with interrupts.gentle() as stop:
        report = engine.apply(replace(work.session, stop=stop.is_set), made.plan.run, planned=made.plan)
        stopped = stop.is_set()
    work.display.hide()
    after(work.session, report)
    if wishes.json:
        output.say_json({**run_json(report), **outcome_json(made)})
    else:
        told = stays(made)
        output.say_all([title(made), *told, *([""] if told else []), *run_text(report)])
    if report.error is not None:
        raise report.error
    if stopped:
        output.tell(f"stagesync: stopped when asked to; `stagesync undo {made.target.id}` undoes the rest")
        return INTERRUPTED
    return 1 if made.refusals else report.exit_code(again=False)
