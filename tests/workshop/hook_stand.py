"""A receiver on loopback, behind real sockets, and the hands of systems that post to it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import orjson
import uvicorn
from standardwebhooks import Webhook
from starlette.applications import Starlette

from stagesync.app.clock import SystemClock
from stagesync.app.web.receiver import Door, receiver
from stagesync.connectors.contract import Hooks
from stagesync.connectors.webhook.hooks import JsonHooks
from stagesync.connectors.webhook.settings import EventTable, WebhookSettings
from stagesync.model.ports import Secret
from stagesync.state import inbox
from stagesync.state.inbox import EventRow, open_inbox
from stagesync.state.intake import Intake
from stagesync.state.store import Store

SECRET = "whsec_" + base64.b64encode(b"a secret of the sender's").decode()
OTHER = "whsec_" + base64.b64encode(b"the secret that comes next").decode()
EVERYBODY = EventTable(kind="person", ref="id", fields={"phone": "phone"})


def settings(*secrets: str, **given: Any) -> WebhookSettings:
    """Settings of a system with these secrets."""
    return WebhookSettings.model_validate({"secrets": tuple(map(Secret, secrets or (SECRET,))), "events": (EVERYBODY,), **given})


def signed(body: bytes, secret: str = SECRET, *, id: str = "msg_1", at: int | None = None) -> dict[str, str]:
    """The headers of a post by the Standard Webhooks scheme."""
    moment = int(time.time()) if at is None else at
    sign = Webhook(secret).sign(id, datetime.fromtimestamp(moment, UTC), body.decode())
    return {"content-type": "application/json", "webhook-id": id, "webhook-timestamp": str(moment), "webhook-signature": sign}


def hex_of(body: bytes, secret: str) -> str:
    """HMAC-SHA256 of a body."""
    return hmac.digest(secret.encode(), body, hashlib.sha256).hex()


@dataclass
class Stand:
    """The receiver's address, what it counted, whom it woke, and its inbox."""

    url: str
    box: Store
    counted: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    woken: list[str] = field(default_factory=list[str])

    def post(self, path: str, body: bytes | Iterator[bytes], headers: Mapping[str, str]) -> httpx.Response:
        """One request on a connection of its own."""
        return httpx.post(f"{self.url}{path}", content=body, headers=dict(headers), trust_env=False)

    def tell(self, body: Any, **how: Any) -> int:
        """A post of the system `product`, signed; its status."""
        raw = orjson.dumps(body)
        return self.post("/hooks/product", raw, signed(raw, **how)).status_code

    def kept(self) -> list[EventRow]:
        """All that lies in the inbox of the workspace."""
        with self.box.read() as tx:
            return inbox.naming(tx, "acme", [""], [])


@contextmanager
def stand(
    folder: Path,
    systems: Mapping[str, WebhookSettings | Hooks] | None = None,
    *,
    workspaces: Sequence[str] = ("acme",),
    within_s: float = 10.0,
    public_url: str | None = None,
) -> Iterator[Stand]:
    """A receiver for these systems of each workspace, served by uvicorn."""
    systems = systems or {"product": settings()}
    hooks = {name: JsonHooks(given) if isinstance(given, WebhookSettings) else given for name, given in systems.items()}
    doors = [Door(workspace, name, each, public_url) for workspace in workspaces for name, each in hooks.items()]
    with closing(open_inbox(f"sqlite:///{folder / 'stagesync.db'}")) as box, closing(Intake(box)) as intake:
        made = Stand("", box)
        routes = receiver(
            doors, intake, SystemClock(), wake=made.woken.append, count=lambda system, what, n: made.counted.update({(system, what): n}), within_s=within_s
        )
        server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), port=0, log_level="critical", lifespan="off"))
        thread = Thread(target=server.run)
        thread.start()
        try:
            while not server.started:
                time.sleep(0.01)
            made.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
            yield made
        finally:
            server.should_exit = True
            thread.join()
