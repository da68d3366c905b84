"""What the service answers over HTTP: whether it lives, whether it works, its metrics, and whatever routes are mounted beside them."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from ...model.errors import ConfigurationError, StagesyncError
from .. import wiring
from .files import Found
from .listen import Listen
from .metrics import CONTENT_TYPE, Metrics
from .service import Service

_GRACE_S = 10


def application(found: Found, service: Service, metrics: Metrics, routes: Sequence[BaseRoute]) -> Starlette:
    """The web side; `routes` are mounted beside its own. Answers that read the state are made in a thread, so that they hold up nobody who posts."""

    def healthz(_request: Request) -> Response:
        return PlainTextResponse("alive\n")

    def readyz(_request: Request) -> Response:
        problems = _problems(found, service)
        return JSONResponse({"ready": not problems, "problems": problems}, 503 if problems else 200)

    def numbers(_request: Request) -> Response:
        return Response(metrics.text(), headers={"Content-Type": CONTENT_TYPE})

    own = [Route(path, answer, methods=["GET"]) for path, answer in (("/healthz", healthz), ("/readyz", readyz), ("/metrics", numbers))]
    return Starlette(routes=[*own, *routes])


def _problems(found: Found, service: Service) -> list[str]:
    problems = [f"{path}: {error.what}" for path, error in found.broken]
    if not service.running:
        problems.append("no more runs are begun: the service is about to end")
    for config in found.configs:
        try:
            with wiring.looked_at(config):
                pass
        except StagesyncError as error:
            problems.append(f"workspace {config.workspace}: {error.what}")
    return problems


def listener(listen: Listen) -> socket.socket:
    """The socket, bound. Raises `ConfigurationError` where the address cannot be had."""
    family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
    try:
        return socket.create_server((listen.host, listen.port), family=family, backlog=1024)
    except OSError as error:
        raise ConfigurationError(
            f"the address {listen.host}:{listen.port} cannot be listened at: {error.strerror or error}",
            where="serve",
            next_step="choose another `port` or `host` under [serve], or end what listens there",
        ) from None


@contextmanager
def served(app: Starlette, listening: socket.socket) -> Iterator[None]:
    """Answer for the length of the block; requests that are under way at its end are answered."""
    config = uvicorn.Config(
        app, ws="none", lifespan="off", log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=_GRACE_S, proxy_headers=False
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listening],), name="web", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
