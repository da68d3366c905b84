"""Webhooks: how long a post waits for its acknowledgement while a run writes, whether a kill loses any, and how quickly the inbox is worked off."""

from __future__ import annotations

import asyncio
import itertools
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime

import orjson
from standardwebhooks import Webhook

from stagesync.model.events import Event
from stagesync.state import inbox
from stagesync.state.inbox import Arrival, open_inbox

from .box import Box, box
from .table import Line

P95_MS, DRAINED, MEMORY_MB = 100.0, 2_000, 250
_SECRET = "whsec_c3RhZ2VzeW5jIGJlbmNoIHNlY3JldA=="
_SYSTEM = """
[signals]
keep = true

[systems.product]
connector = "webhook"
direction = "read"
secrets = [{ file = "product-secret.txt" }]

[[systems.product.events]]
when = "type == 'person'"
kind = "person"
ref = "user.id"
email = "user.email"
at = "at"
fields = { first_name = "user.first", last_name = "user.last", phone = "user.phone" }

[[systems.product.events]]
when = "type == 'used'"
kind = "signal"
ref = "user.id"
at = "at"
signal = "usage"
attributes = { feature = "feature" }
"""
_BURST = 100
_numbers = itertools.count(1)


def measure(posts: int, events: int) -> Iterator[Line]:
    """So many posts in bursts of a hundred while a first sync runs, and so many events worked off by a run."""
    with box(20_000, 0.6) as worlds:
        _add_product(worlds)
        with _receiving(worlds) as (port, _):
            run = subprocess.Popen([sys.executable, "-m", "bench.measured", "sync", str(worlds.config)], stdout=subprocess.DEVNULL)
            while not worlds.database.exists():
                time.sleep(0.05)
            took, acknowledged = asyncio.run(_post(port, posts))
            under_way = run.poll() is None
            run.wait()
        p95 = sorted(took)[int(len(took) * 0.95)] * 1000
        what = f"{posts:,} posts in bursts of {_BURST}{' while a first sync runs' if under_way else ''}: acknowledged, 95 of 100 within"
        yield Line(what, f"{p95:.0f} ms (slowest {max(took) * 1000:.0f})", f"< {P95_MS:g} ms", under_way and p95 < P95_MS and len(acknowledged) == posts)
        killed = _killed(worlds)
        kept = _kept(worlds)
        lost = len((acknowledged | killed) - kept)
        yield Line(f"  acknowledged before a kill of the receiver: {len(killed):,}; lost", str(lost), "0", lost == 0 and bool(killed))
        yield from _drained(worlds, events)


def _add_product(worlds: Box) -> None:
    worlds.config.write_text(worlds.config.read_text("utf-8") + _SYSTEM, "utf-8")
    secret = worlds.folder / "product-secret.txt"
    secret.touch(0o600)
    secret.write_text(_SECRET)


@contextmanager
def _receiving(worlds: Box) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """The receiver's port, and its process."""
    with subprocess.Popen([sys.executable, "-m", "bench.receiving", str(worlds.config)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline()), process
        finally:
            process.kill()


async def _post(port: int, posts: int) -> tuple[list[float], set[str]]:
    """Bursts of a hundred, all at once: seconds until each answer, and the ids that were acknowledged. The client is bare, lest it be what is measured."""
    took: list[float] = []
    acknowledged: set[str] = set()
    lines = [await asyncio.open_connection("127.0.0.1", port) for _ in range(_BURST)]

    async def one(line: tuple[asyncio.StreamReader, asyncio.StreamWriter], id_: str, request: bytes) -> None:
        before = time.perf_counter()
        line[1].write(request)
        status = await line[0].readuntil(b"\r\n\r\n")
        took.append(time.perf_counter() - before)
        if status.startswith(b"HTTP/1.1 204"):
            acknowledged.add(id_)

    for _ in range(posts // _BURST):
        if any(writer.is_closing() for _, writer in lines):  # the receiver was killed
            break
        ready = [_request() for _ in lines]
        await asyncio.gather(*(one(line, *request) for line, request in zip(lines, ready, strict=True)), return_exceptions=True)
    for _, writer in lines:
        writer.close()
    return took, acknowledged


def _request() -> tuple[str, bytes]:
    """A signed post, as it goes over the line, and its id."""
    number, now = next(_numbers), int(time.time())
    id_, body = f"msg_{number}", orjson.dumps(_person(number, now))
    sign = Webhook(_SECRET).sign(id_, datetime.fromtimestamp(now, UTC), body.decode())
    head = f"POST /hooks/product HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
    return id_, f"{head}webhook-id: {id_}\r\nwebhook-timestamp: {now}\r\nwebhook-signature: {sign}\r\n\r\n".encode() + body


def _person(number: int, at: int) -> dict[str, object]:
    who = number % 20_000
    user = {"id": f"u{who}", "email": f"user{who}@product.example", "first": f"First{who}", "last": f"Last{who}", "phone": f"+49 30 {1_000_000 + number}"}
    return {"type": "person", "at": at, "user": user, "plan": "pro", "source": {"app": "web", "version": "4.2"}}


def _killed(worlds: Box) -> set[str]:
    """What a receiver acknowledged that is killed in the middle of a burst."""
    with _receiving(worlds) as (port, process):

        async def until_killed() -> set[str]:
            posting = asyncio.create_task(_post(port, 40 * _BURST))
            await asyncio.sleep(0.3)
            process.kill()
            return (await posting)[1]

        return asyncio.run(until_killed())


def _kept(worlds: Box) -> set[str]:
    with closing(open_inbox(f"sqlite:///{worlds.database}")) as store, store.read() as tx:
        return {each.event.key for each in inbox.take(tx, worlds.config.stem, "product", 0, 1_000_000)}


def _drained(worlds: Box, events: int) -> Iterator[Line]:
    """About 20,000 people; one event in ten is posted twice, and two in ten say under an id of their own what was said before.

    What the first sync wrote is read back first.
    """
    worlds.later()
    worlds.run()
    first = int(time.time()) - events
    with closing(open_inbox(f"sqlite:///{worlds.database}")) as store:
        for start in range(0, events, 5_000):
            with store.write() as tx:
                arrivals = [_arrival(worlds.config.stem, number, first + number) for number in range(start, start + 5_000)]
                inbox.put(tx, [*arrivals, *arrivals[::10]])
    ran = worlds.run("drain")
    rate, own = (ran["events"] / ran[name] for name in ("seconds", "own_s"))
    what = f"{ran['events']:,} events, mapped and taken into the state"
    yield Line(what, f"{rate:,.0f} a second, {own:,.0f} a second of CPU", f">= {DRAINED:,}", ran["events"] >= events and rate >= DRAINED)
    yield Line("  peak memory", f"{ran['peak_mb']:.0f} MB", f"< {MEMORY_MB}", ran["peak_mb"] < MEMORY_MB)


def _arrival(workspace: str, number: int, at: int) -> Arrival:
    again = 2 if number % 10 >= 8 else 0
    who, told = (number - again) // 2, at - again
    body = _person(who, told) if number % 2 else {"type": "used", "at": told, "feature": "export", "user": {"id": f"u{who % 20_000}"}}
    return Arrival(workspace, "product", Event(f"e{number}", body), at * 1000)
