"""Where the service listens: the `[serve]` table."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from ..configuration.tables import Table

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
