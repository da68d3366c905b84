"""The receiver of webhooks inside the service: what is posted is kept first, and then wakes its workspace."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager

from starlette.routing import BaseRoute

from ...model.errors import ConfigurationError
from ...state.inbox import open_inbox
from ...state.intake import Intake
from ..clock import SystemClock
from ..configuration.config import Config
from ..hooks import doors
from ..web.receiver import receiver
from .metrics import Metrics
from .service import Service


@contextmanager
def receiving(configs: Sequence[Config], service: Service, metrics: Metrics) -> Iterator[Sequence[BaseRoute]]:
    """The routes, for the length of the block; none where no system posts. At its end everything that was taken in is on the disk.

    Raises `ConfigurationError` where workspaces whose systems post keep different states, `StateError` where the inbox cannot be opened.
    """
    found = doors(configs)
    named = {door.workspace for door in found}
    urls = {config.state_url: config for config in configs if config.workspace in named}
    if len(urls) > 1:
        one, other = list(urls.values())[:2]
        raise ConfigurationError(
            f"{one.path} and {other.path} both receive webhooks and keep different states",
            where="state.url",
            next_step="give them one [state] url, or run a service for each",
        )
    if not found:
        yield ()
        return
    with closing(open_inbox(next(iter(urls)))) as box, closing(Intake(box)) as intake:
        yield receiver(found, intake, SystemClock(), wake=service.wake, count=metrics.received)
