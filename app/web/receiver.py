"""Takes in what systems post to us: `POST /hooks/SYSTEM`, and `POST /hooks/WORKSPACE/SYSTEM` where several workspaces are served.

A post is believed or refused by its raw bytes, then read, then kept in the inbox, and only then acknowledged; a run works it off later. What is refused
leaves nothing behind but a count and a line in the log, which hold nothing that came with it.

    routes = receiver(doors, intake, clock, wake=..., count=...)
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from ...connectors.contract import Hooks, Post
from ...model.errors import StateError
from ...model.ports import Clock
from ...state.inbox import Arrival
from ...state.intake import Intake

BODY_LIMIT = 2**20
BODY_WITHIN_S = 10.0

log = structlog.get_logger("stagesync.receiver")


@dataclass(frozen=True, slots=True)
class Door:
    """Where one system's posts come in. `public_url`: how the outside reaches us, where that is configured."""

    workspace: str
    system: str
    hooks: Hooks
    public_url: str | None = None


class _Refused(Exception):
    """A post that is not taken. `what`: the word under which it is counted."""

    def __init__(self, status: int, what: str, why: str) -> None:
        super().__init__(why)
        self.status, self.what, self.why = status, what, why


def receiver(
    doors: Sequence[Door], intake: Intake, clock: Clock, *, wake: Callable[[str], None], count: Callable[[str, str, int], None], within_s: float = BODY_WITHIN_S
) -> list[Route]:
    """The routes of all doors, to be mounted in an application.

    `wake(workspace)` is called in the event loop after new events of it were committed. `count(system, what, n)`: n events were `stored` or `known`, or a post
    was refused; the system is "" where there is none of that name. A body must be there `within_s` seconds.
    """
    return _Receiver({(door.workspace, door.system): door for door in doors}, intake, clock, wake, count, within_s).routes()


@dataclass(frozen=True, slots=True)
class _Receiver:
    doors: dict[tuple[str, str], Door]
    intake: Intake
    clock: Clock
    wake: Callable[[str], None]
    count: Callable[[str, str, int], None]
    within_s: float

    def routes(self) -> list[Route]:
        return [Route(path, self.take_in, methods=["POST"]) for path in ("/hooks/{system}", "/hooks/{workspace}/{system}")]

    async def take_in(self, request: Request) -> Response:
        """One post, from its first byte to the answer."""
        door = self._door(request)
        try:
            if door is None:
                raise _Refused(404, "unknown", "no such system")
            post = await self._post(request, door)
            return await self._keep(door, self._arrivals(door, post))
        except _Refused as refused:
            system = door.system if door is not None else ""
            self.count(system, refused.what, 1)
            workspace = door.workspace if door is not None else ""
            log.warning("post refused", workspace=workspace, system=system, status=refused.status, why=refused.why)
            return PlainTextResponse(f"{refused.why}\n", refused.status)

    def _door(self, request: Request) -> Door | None:
        """The door that is meant. Without a workspace: the only one of that system."""
        workspace, system = request.path_params.get("workspace"), request.path_params["system"]
        if workspace is not None:
            return self.doors.get((workspace, system))
        found = [door for door in self.doors.values() if door.system == system]
        return found[0] if len(found) == 1 else None

    async def _post(self, request: Request, door: Door) -> Post:
        """The whole request. A body that is too large is refused as soon as that is known, whatever its header says."""
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type not in door.hooks.media_types:
            raise _Refused(415, "media_type", f"send {' or '.join(sorted(door.hooks.media_types))}")
        declared = request.headers.get("content-length", "")
        if declared.isdigit() and int(declared) > BODY_LIMIT:
            raise _Refused(413, "too_large", f"a body may have {BODY_LIMIT} bytes")
        try:
            async with asyncio.timeout(self.within_s):
                body = await _body(request)
        except TimeoutError:
            raise _Refused(408, "too_slow", "the body did not come in time") from None
        except ClientDisconnect:
            raise _Refused(400, "broken_off", "the body broke off") from None
        path, query = request.scope["raw_path"].decode("latin-1"), request.scope["query_string"].decode("latin-1")
        whole = f"{path}?{query}" if query else path
        url = f"{door.public_url}{whole}" if door.public_url else None
        return Post(request.method, whole, dict(request.headers), body, self.clock.now_ms(), url)

    def _arrivals(self, door: Door, post: Post) -> list[Arrival]:
        """The events of a post that is believed."""
        try:
            post.body.decode()
        except UnicodeDecodeError:
            raise _Refused(400, "unreadable", "the body is no UTF-8") from None
        doubt = door.hooks.verify(post)
        if doubt is not None:
            raise _Refused(401, "unproved", doubt)
        try:
            events = door.hooks.read(post)
        except ValueError as error:
            raise _Refused(400, "unreadable", str(error)) from None
        return [Arrival(door.workspace, door.system, event, post.received) for event in events]

    async def _keep(self, door: Door, arrivals: Sequence[Arrival]) -> Response:
        """Acknowledge what is on the disk, and nothing else."""
        try:
            stored = sum(await asyncio.wrap_future(self.intake.put(arrivals)))
        except StateError as error:
            log.error("inbox failed", workspace=door.workspace, system=door.system, why=error.what, next_step=error.next_step)
            raise _Refused(503, "not_kept", "nothing could be kept; send it again") from None
        for what, number in (("stored", stored), ("known", len(arrivals) - stored)):
            if number:
                self.count(door.system, what, number)
        if stored:
            self.wake(door.workspace)
        reply = door.hooks.reply()
        return Response(reply.body, reply.status, media_type=reply.media_type)


async def _body(request: Request) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > BODY_LIMIT:
            raise _Refused(413, "too_large", f"a body may have {BODY_LIMIT} bytes")
        chunks.append(chunk)
    return b"".join(chunks)
