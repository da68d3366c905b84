"""`stagesync funnel seed`: lets the vendors' histories tell how the ledger began."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ...model.errors import ConfigurationError
from ...state import accounts
from ...sync.past.seeding import estimate
from ...sync.past.seeding import seed as read_histories
from ..configuration.loading import load
from ..running import running
from ..terminal import interrupts, output
from ..terminal.shell import INTERRUPTED
from ..views.seeding import ahead_text, seeding_json, seeding_text


def seed(config_file: Path | None, limit: int | None, *, json: bool) -> int:
    """Say what lies ahead, read, and tell what came of it; returns the exit code. Raises what stops a run."""
    with running("funnel seed", load(config_file)) as run:
        session = run.session
        with session.store.write() as tx:
            synced = accounts.workspace(tx, session.name).synced
        if not synced:
            raise ConfigurationError("there is no ledger yet whose beginning could be told", where="funnel seed", next_step="run `stagesync sync` first")
        for line in ahead_text(estimate(session, limit)):
            output.tell(line)
        with interrupts.gentle() as stop:
            found = read_histories(replace(session, stop=stop.is_set), limit)
            stopped = stop.is_set()
        run.display.hide()
    if json:
        output.say_json(seeding_json(found))
    else:
        output.say_all(seeding_text(found))
    return INTERRUPTED if stopped else 0
