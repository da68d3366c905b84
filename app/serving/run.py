"""`stagesync serve`, from its start to its end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import structlog
from prometheus_client import disable_created_metrics

from ...model.errors import ConfigurationError, StagesyncError
from .. import hooks, wiring
from ..configuration.config import Config
from ..memory import frugal
from ..terminal import interrupts, logs
from .course import Ended
from .files import Found, find, one_service
from .forecast import Cost, forecast
from .listen import Listen
from .metrics import Metrics
from .notices import Notices, sender
from .receiving import receiving
from .service import Service
from .web import application, listener, served

log = structlog.get_logger("stagesync.service")


def serve(given: Sequence[Path], *, shadow: bool = False) -> int:
    """Serve until somebody says stop; the exit code. `shadow`: nothing is ever written.

    Raises `ConfigurationError` where there is nothing to serve, or the address cannot be had."""
    found = find(given, shadow=shadow)
    logs.configure()
    for path, error in found.broken:
        log.error("configuration left out", file=str(path), reason=str(error))
    if not found.configs:
        raise ConfigurationError("no configuration can be used", where="serve", next_step="mend what is told above, then start again")
    one_service(found.configs)
    for config in found.configs:
        hooks.provable(config)
    listening = listener(_one_address(found.configs))
    disable_created_metrics()  # a second line for each counter, which nobody asks for
    metrics = Metrics(found)
    notices = Notices(found.configs, sender(found.configs))

    def ended(config: Config, ended: Ended, took_s: float) -> None:
        metrics.ended(config, ended, took_s)
        notices.ended(config, ended)

    service = Service(found.configs, ended)
    with frugal(), receiving(found.configs, service, metrics) as routes, served(application(found, service, metrics, routes), listening):
        stop = interrupts.Service()
        _introduce(found, "http://{}:{}".format(*listening.getsockname()[:2]))
        service.start()
        stop.wait()
        log.info("stopping after the batch in hand")
        service.drain()
        notices.close()
    log.info("stopped")
    return 0


def _one_address(configs: Sequence[Config]) -> Listen:
    """The one address of several configurations. Raises `ConfigurationError` where they do not agree: one service has one."""
    listens = {(config.listen.host, config.listen.port): config for config in configs}
    if len(listens) > 1:
        one, other = list(listens.values())[:2]
        raise ConfigurationError(
            f"{one.path} and {other.path} want different addresses of one service",
            where="serve",
            next_step="give all of them the same `host` and `port` under [serve], or run a service for each",
        )
    return next(iter(listens.values())).listen


def _introduce(found: Found, url: str) -> None:
    """What is served, and what it costs."""
    log.info("listening", url=url)
    for config in found.configs:
        for note in config.notes:
            log.warning("note", workspace=config.workspace, note=note)
        costs = _costs(config)
        told = {cost.system: {"calls_a_day": cost.a_day, "of": cost.limit} for cost in costs}
        log.info("serving", workspace=config.workspace, timetable=str(config.timetable), costs=told, shadow=config.shadow)
        for cost in costs:
            if cost.quiet and cost.share is not None and cost.share > 1:
                log.warning("the timetable costs more calls than the account has", workspace=config.workspace, system=cost.system)


def _costs(config: Config) -> list[Cost]:
    try:
        with wiring.opened(config) as place, place.store.read() as tx:
            return forecast(tx, place.id, config.timetable.runs_a_day(place.clock.now_ms()))
    except StagesyncError:  # told by the first look, which is tried again
        return []
