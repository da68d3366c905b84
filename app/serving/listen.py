"""Where the service listens: the `[serve]` table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ...model.errors import ConfigurationError
from ..configuration.tables import Table

if TYPE_CHECKING:
    from ..configuration.config import Config

HOST = "127.0.0.1"
PORT = 8080


@dataclass(frozen=True, slots=True)
class Listen:
    """`port` 0 takes a free one. `public_url`: how the outside reaches this service, for signatures over the address; None: not at all."""

    host: str = HOST
    port: int = PORT
    public_url: str | None = None


def read_listen(table: Table) -> Listen:
    """The `[serve]` table; without one, this machine alone is listened to."""
    table.only(("host", "port", "public_url"))
    port = table.number("port", PORT, most=65_535)
    if port != int(port):
        table.problems.add(table.at("port"), f"{port!r} is no port", f"For example port = {PORT}")
    return Listen(table.text("host", HOST), int(port), _public_url(table))


def _public_url(table: Table) -> str | None:
    if "public_url" not in table.values:
        return None
    url = table.text("public_url", "")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        table.problems.add(table.at("public_url"), "is no address of a web server", 'For example public_url = "https://hooks.example.com"')
        return None
    return url.rstrip("/")


def one_address(configs: Sequence[Config]) -> Listen:
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
