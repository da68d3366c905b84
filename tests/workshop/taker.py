"""An endpoint on loopback that takes events, checks their signatures, and can have bad days."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson
from hook_stand import SECRET
from standardwebhooks import Webhook

SYSTEM = """
[systems.product]
connector = "webhook"
endpoint_url = "{url}"
signing_secret = "{secret}"
allow_private = ["127.0.0.1"]
"""
"""How a configuration names it."""


@dataclass
class Taker:
    """What came, in order: (id, body). `answer` says what the endpoint answers to a body: a status and a JSON value."""

    url: str = ""
    came: list[tuple[str, Any]] = field(default_factory=list[tuple[str, Any]])
    answer: Callable[[Any], tuple[int, Any]] = lambda _body: (200, {})
    headers: dict[str, str] = field(default_factory=dict[str, str])

    def bodies(self, kind: str) -> list[Any]:
        """The data of all events of a kind, in order."""
        return [body["data"] for _, body in self.came if body["type"] == kind]


@contextmanager
def taker() -> Iterator[Taker]:
    """The endpoint, as long as the block lasts."""
    made = Taker()

    class Hand(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["content-length"]))
            Webhook(SECRET).verify(raw, dict(self.headers.items()), json_parse=False)
            body = orjson.loads(raw)
            made.came.append((self.headers["webhook-id"], body))
            status, told = made.answer(body)
            text = orjson.dumps(told)
            self.send_response(status)
            for name, value in made.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(text)))
            with suppress(BrokenPipeError):  # whoever was killed over it reads no answer
                self.end_headers()
                self.wfile.write(text)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Hand) as server:
        made.url = f"http://127.0.0.1:{server.server_port}/take"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()
