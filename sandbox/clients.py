"""The skins without sockets: calls of `requests` and `urllib3` carried straight into a world.

Only the connection at the very bottom is ours. Retries, redirects, decoding, and the exceptions for broken connections
are the libraries' own, so the official clients notice no difference. Wired like this:

    session = requests.Session()                        # simple-salesforce: Salesforce(..., session=session)
    session.mount("https://", WorldAdapter(world))
    api_client.rest_client.pool_manager = WorldPool(world)      # hubspot-api-client
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from contextlib import suppress
from http.client import NO_CONTENT, IncompleteRead, RemoteDisconnected, responses
from typing import Any
from urllib.parse import unquote, urlsplit

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPResponse, PoolManager
from urllib3.util import Timeout

from .base import BaseWorld
from .wire import ReplyLost, Request, Response


class WorldPool(PoolManager):
    """Takes the place of urllib3's `PoolManager`: whatever host is asked, the world answers."""

    def __init__(self, world: BaseWorld, **options: Any) -> None:
        super().__init__(**options)
        self._world = world

    def _new_pool(self, scheme: str, host: str, port: int, request_context: dict[str, Any] | None = None) -> HTTPConnectionPool:
        options = {**self.connection_pool_kw, **(request_context or {})}
        return _WorldHost(self._world, scheme, host, port, options.get("retries"))


class WorldAdapter(HTTPAdapter):
    """Mount it on a `requests.Session` for `https://` and `http://`."""

    def __init__(self, world: BaseWorld) -> None:
        self._world = world
        super().__init__()

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: Any) -> None:
        self.poolmanager = WorldPool(self._world)


class _WorldHost(HTTPConnectionPool):
    def __init__(self, world: BaseWorld, scheme: str, host: str, port: int, retries: Any) -> None:
        super().__init__(host, port, retries=retries)
        self._world = world
        self.scheme = scheme

    def _get_conn(self, timeout: float | None = None) -> Any:
        return _Wire(self._world)

    def _put_conn(self, conn: Any) -> None:
        """Nothing is kept open."""


class _Wire:
    """What the pool believes to be a connection."""

    proxy = None
    proxy_config = None
    has_connected_to_proxy = False
    is_verified = True
    is_closed = False
    is_connected = True

    def __init__(self, world: BaseWorld) -> None:
        self.timeout: float | None = None
        self._world = world
        self._request = Request("GET", "/")
        self._options: dict[str, Any] = {}

    def request(self, method: str, url: str, body: Any = None, headers: Mapping[str, str] | None = None, *, chunked: bool = False, **options: Any) -> None:
        parts = urlsplit(url)
        named = {name.lower(): str(value) for name, value in (headers or {}).items()}
        self._request = Request(method, unquote(parts.path), parts.query, named, _whole(body))
        self._options = {**options, "request_method": method, "request_url": url}

    def getresponse(self) -> HTTPResponse:
        fault = self._world.arrive(self._request)
        pause = self._world.pause_s(self._request, fault)
        patience = Timeout.resolve_default_timeout(self.timeout)
        if patience is not None and pause > patience:
            with suppress(ReplyLost):
                self._world.answer(self._request, fault)  # carried out all the same, only later than the client waits
            raise TimeoutError("timed out")
        self._world.wait(pause)
        try:
            response = self._world.answer(self._request, fault)
        except ReplyLost:
            raise RemoteDisconnected("Remote end closed connection without response") from None
        return _answered(response, self._options)

    def close(self) -> None:
        """Nothing is open."""


def _whole(body: str | bytes | bytearray | io.IOBase | Iterable[bytes | str] | None) -> bytes:
    match body:
        case None:
            return b""
        case str():
            return body.encode()
        case bytes() | bytearray():
            return bytes(body)
        case io.IOBase():
            return _whole(body.read())
        case _:
            return b"".join(_whole(part) for part in body)


def _answered(response: Response, options: Mapping[str, Any]) -> HTTPResponse:
    headers = dict(response.headers)
    if response.status != NO_CONTENT:
        headers["Content-Length"] = str(len(response.body))
    body = _Broken(response.arriving) if response.truncated else io.BytesIO(response.arriving)
    reason = responses.get(response.status, "")
    return HTTPResponse(body=body, headers=headers, status=response.status, version=11, reason=reason, **options)


class _Broken(io.BytesIO):
    """A body whose end never comes: read to the end, it fails as `http.client` does."""

    def read(self, size: int | None = -1, /) -> bytes:
        found = super().read(size)
        if size is None or size < 0:
            raise IncompleteRead(found)
        return found
