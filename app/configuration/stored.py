"""Whether the state and a changed configuration go together."""

from __future__ import annotations

from ...lifecycle.funnel import Funnel
from ...mapping.maps import Maps
from ...model.errors import ConfigurationError
from ...state import accounts, people
from ...state.store import Store


def check_stored_stages(store: Store, workspace: str, number: int, funnel: Funnel, maps: Maps) -> None:
    """Everybody stands at a stage of the funnel. Looked at only where the maps are not those that were applied last.

    Raises `ConfigurationError` where the funnel lost a stage that people are in: where they stand then is nobody's to guess.
    """
    with store.read() as tx:
        if accounts.workspace(tx, workspace).mapping == maps.digest:
            return
        lost = {stage: count for stage, count in people.by_stage(tx, number).items() if stage is not None and stage not in funnel.stages}
    if lost:
        raise ConfigurationError(
            f"people stand at stages that the funnel {funnel.name!r} has not",
            where="funnel",
            next_step="keep these stages in [funnel.stages], or begin anew under another [workspace] name",
            problems=tuple(f"funnel.stages.{stage}: {count:,} {'person is' if count == 1 else 'people are'} there" for stage, count in sorted(lost.items())),
        )
