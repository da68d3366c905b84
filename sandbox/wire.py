"""What travels: one HTTP request and its response, free of any server or client library.

A world is a function from `Request` to `Response`. The skins (`server`, `clients`) carry these over real sockets
or straight into the official clients.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from urllib.parse import parse_qsl


@dataclass(frozen=True)
class Request:
    """One request as it came over the wire. `headers` has lower-case names, `path` is percent-decoded, `query` is raw."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""

    @cached_property
    def args(self) -> Mapping[str, list[str]]:
        """The query as name -> values, in order; names given several times keep every value."""
        found: dict[str, list[str]] = {}
        for name, value in parse_qsl(self.query, keep_blank_values=True):
            found.setdefault(name, []).append(value)
        return found

    def arg(self, name: str, default: str = "") -> str:
        """The first value of a query argument."""
        values = self.args.get(name)
        return values[0] if values else default


def unpacked(request: Request) -> Request:
    """The request with its body as it was before the client compressed it; one that is not what it says stays as it is."""
    if request.headers.get("content-encoding", "").strip().lower() != "gzip":
        return request
    try:
        return replace(request, body=gzip.decompress(request.body))
    except (OSError, EOFError, zlib.error):
        return request


@dataclass(frozen=True)
class Response:
    """One response. The skins add `Content-Length`; the world adds `Date` by its own clock.

    `truncated`: `Content-Length` names the whole body, but only its first half arrives before the connection closes.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""
    truncated: bool = False

    @property
    def arriving(self) -> bytes:
        """What the client gets to see of the body."""
        return self.body[: len(self.body) // 2] if self.truncated else self.body


class ReplyLost(Exception):
    """The connection breaks without an answer: the skin closes the socket, or raises its client's connection error."""
