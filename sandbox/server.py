"""The skin over real sockets: a world served on loopback by uvicorn, in a thread of its own."""

from __future__ import annotations

import asyncio
import gzip
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from .base import BaseWorld
from .wire import ReplyLost, Request, Response

GZIP_FROM = 1024
"""Bodies above this size are compressed for clients that accept gzip, as both vendors do."""

START_WITHIN_S = 10.0
IDLE_S = 75
"""How long a connection may wait for its next request."""


class _Protocol(AutoHTTPProtocol):
    """uvicorn's protocol (over httptools if that is installed, else h11) that shows the connection to the application.

    It lies in `scope["state"]["transport"]`.
    """

    app_state: dict[str, Any]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.app_state = {**self.app_state, "transport": transport}
        super().connection_made(transport)


class _AsSpelt(bytes):
    """The name of a header as the vendor spells it. uvicorn would write it in small letters, and some clients look for `Content-Type` only."""

    def lower(self) -> bytes:
        """The same."""
        return self


class WorldApp:
    """A world as an ASGI application. It answers in the event loop itself: a world is quick and takes one call at a time anyway."""

    def __init__(self, world: BaseWorld) -> None:
        self.world = world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or break its connection."""
        request = await _read(scope, receive)
        fault = self.world.arrive(request)
        pause = self.world.pause_s(request, fault)
        if pause:
            await asyncio.sleep(pause)
        try:
            response = self.world.answer(request, fault)
        except ReplyLost:
            scope["state"]["transport"].abort()
        else:
            if await _write(request, response, send):
                return
            scope["state"]["transport"].close()
        while (await receive())["type"] != "http.disconnect":  # else the server would report an answer that is not finished
            pass


async def _read(scope: Scope, receive: Receive) -> Request:
    chunks: list[bytes] = []
    more = True
    while more:
        message = await receive()
        chunks.append(message.get("body", b""))
        more = message.get("more_body", False)
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    return Request(scope["method"], scope["path"], scope["query_string"].decode("latin-1"), headers, b"".join(chunks))


async def _write(request: Request, response: Response, send: Send) -> bool:
    """Send the answer; False if it was cut short, so that the connection must be closed."""
    response = _compressed(request, response)
    headers: list[tuple[bytes, bytes]] = [(_AsSpelt(name.encode("latin-1")), value.encode("latin-1")) for name, value in response.headers.items()]
    if response.status != 204:
        headers.append((b"content-length", str(len(response.body)).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.arriving, "more_body": response.truncated})
    return not response.truncated


def _compressed(request: Request, response: Response) -> Response:
    packed_already = "Content-Encoding" in response.headers or response.headers.get("Content-Type") == "application/zip"
    if packed_already or len(response.body) <= GZIP_FROM or "gzip" not in request.headers.get("accept-encoding", ""):
        return response
    packed = gzip.compress(response.body, compresslevel=1, mtime=0)
    headers = {**response.headers, "Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
    return Response(response.status, headers, packed, response.truncated)


@contextmanager
def serve(world: BaseWorld, port: int = 0, host: str = "127.0.0.1") -> Iterator[str]:
    """Serve a world for the length of a `with` block; gives its base URL, such as `http://127.0.0.1:8041`.

    `port` 0 takes any free port. Raises `OSError` if the port is taken: nothing was started then.
    """
    listener = socket.create_server((host, port), backlog=256)
    # Head and body leave in two writes; without this, each kept connection waits 40 ms for the client's delayed acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    config = uvicorn.Config(
        WorldApp(world),
        http=_Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=IDLE_S,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), name=f"sandbox-{listener.getsockname()[1]}", daemon=True)
    url = f"http://{host}:{listener.getsockname()[1]}"
    thread.start()
    try:
        _wait_until_started(server, thread)
        yield url
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


def _wait_until_started(server: uvicorn.Server, thread: threading.Thread) -> None:
    deadline = time.monotonic() + START_WITHIN_S
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise RuntimeError("the sandbox's server did not start; its log says why")
        time.sleep(0.002)
