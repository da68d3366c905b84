"""`stagesync serve` as a process of its own: by the clock, over HTTP, by signals, killed, and beside another one."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import httpx
import orjson
import pytest
from cli_box import Box, box, cli
from hook_stand import OTHER, SECRET, signed
from service import serving, until

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals are other things there")
EVERY_SECOND = '\n[schedule]\nevery = "1s"\n[serve]\nport = 0\n'
ROOMY = "[guard]\ncreates = { count = 1000, share = 1 }\nfills = { count = 1000, share = 1 }\npeople = { count = 1000, share = 1 }\n"
DONE = 'stagesync_runs_total{outcome="done",workspace="box"}'


@pytest.fixture
def acme(tmp_path: Path) -> Iterator[Box]:
    """A few people in both worlds, a run every second."""
    with box(tmp_path, people=5) as made:
        made.add(EVERY_SECOND)
        yield made


def test_an_edit_arrives_by_the_clock_and_everything_is_told(acme: Box, tmp_path: Path) -> None:
    """A new contact in HubSpot is a lead in Salesforce without anybody's doing; the answers say that all is well, and SIGTERM ends with 0."""
    acme.run("sync", "--yes")
    with serving(tmp_path / "log", acme.config) as service:
        until(lambda: service.runs("done"))
        before = len(list(acme.worlds.salesforce.rows("Lead")))
        acme.worlds.hubspot.by_hand.create({"email": "new@acme.example", "lastname": "New"})
        until(lambda: len(list(acme.worlds.salesforce.rows("Lead"))) == before + 1)
        until(lambda: service.metric('stagesync_writes_total{kind="created",system="salesforce",workspace="box"}') == 1)
        assert service.get("/healthz") == (200, "alive\n")
        assert service.get("/readyz") == (200, '{"ready":true,"problems":[]}')
        assert service.metric(DONE) >= 2
        assert service.metric('stagesync_lag_seconds{system="hubspot",workspace="box"}') < 30
        assert service.metric('stagesync_quota_limit{system="salesforce",workspace="box"}') > 0
        assert service.metric('stagesync_state_up{workspace="box"}') == 1
        assert "python_gc" not in service.get("/metrics")[1]
        assert service.get("/nothing")[0] == 404
        assert service.end() == 0
        lines = service.lines()
    assert all(line["run"] and line["workspace"] == "box" for line in service.runs("done"))
    assert [line["event"] for line in lines[-2:]] == ["stopping after the batch in hand", "stopped"]
    assert b"new@acme" not in (tmp_path / "log").read_bytes()
    assert b"Traceback" not in (tmp_path / "log").read_bytes()
    assert acme.run("verify").exit_code == 0


def test_sigterm_finishes_the_batch_in_hand_and_answers_until_the_end(tmp_path: Path) -> None:
    """While the last batch is written the service still answers, but says that it begins nothing more; the next start ends where an unbroken one would have."""
    with box(tmp_path, people=5) as made:
        made.run("sync", "--yes")
        made.add('\n[schedule]\ncron = "0 0 1 1 *"\n[serve]\nport = 0\n' + ROOMY)
        made.run("sync", "--yes")
        for number in range(400):
            made.worlds.hubspot.by_hand.create({"email": f"p{number}@acme.example", "lastname": f"P{number}"})
        made.replace('cron = "0 0 1 1 *"', 'every = "1d"')
        made.worlds.salesforce.latency_s = 0.4
        made.reset()
        with serving(tmp_path / "log", made.config) as service:
            until(made.written)
            service.process.send_signal(signal.SIGTERM)
            until(lambda: service.get("/readyz")[0] == 503)
            assert service.get("/healthz")[0] == 200
            assert service.process.wait(timeout=30) == 0
            assert [line["outcome"] for line in service.runs()] == ["interrupted"]
        made.worlds.salesforce.latency_s = 0
        with serving(tmp_path / "log2", made.config) as service:
            until(service.runs)
            assert service.end() == 0
        assert made.run("verify").exit_code == 0


def test_a_killed_service_goes_on_where_it_was(tmp_path: Path) -> None:
    """SIGKILL while writes are under way: the next start runs at once although the next slot is a day away, and nothing is lost or doubled."""
    with box(tmp_path, people=5) as made:
        for key in ("searches_per_s", "access_token"):  # what was sent may arrive for as long as an answer is waited for, so long the next run waits
            made.replace(key, f"timeout_s = 2\n{key}")
        made.add('\n[schedule]\nevery = "1d"\n[serve]\nport = 0\n' + ROOMY)
        made.run("sync", "--yes")
        before = len(list(made.worlds.salesforce.rows("Lead")))
        for number in range(300):
            made.worlds.hubspot.by_hand.create({"email": f"p{number}@acme.example", "lastname": f"P{number}"})
        made.worlds.salesforce.latency_s = 0.3
        made.reset()
        with serving(tmp_path / "log", made.config) as service:
            until(made.written)
            service.process.kill()
            service.process.wait()
        made.worlds.salesforce.latency_s = 0
        with serving(tmp_path / "log2", made.config) as service:
            until(service.runs)
            assert service.end() == 0
        assert made.run("sync").exit_code == 0
        assert made.run("verify").exit_code == 0
        assert len(list(made.worlds.salesforce.rows("Lead"))) == before + 300


def test_a_kill_in_a_burst_of_posts_loses_nothing(tmp_path: Path) -> None:
    """SIGKILL of the whole service in the middle of a burst, while a run writes: what was acknowledged is worked off by the next start, what was not is
    sent again as senders do, and each of 150 people is there once."""
    with box(tmp_path, people=0) as made:
        for key in ("searches_per_s", "access_token"):
            made.replace(key, f"timeout_s = 2\n{key}")
        product(made)
        made.add('[schedule]\nevery = "1d"\n[serve]\nport = 0\n' + ROOMY)
        made.run("sync", "--yes")
        made.worlds.salesforce.latency_s = 1.5
        made.reset()
        posts = {f"msg_{number}": orjson.dumps({"id": f"u{number}", "email": f"u{number}@acme.example", "title": f"T{number}"}) for number in range(150)}
        with serving(tmp_path / "log", made.config) as service:
            until(lambda: service.runs("done"))
            first, second = dict(list(posts.items())[:50]), dict(list(posts.items())[50:])
            taken = asyncio.run(burst(service.port, first))
            assert taken == set(first)
            until(made.written)
            ended = len(service.runs())
            taken |= asyncio.run(burst(service.port, second, lambda taken: len(taken) >= 30 and service.process.kill()))
            service.process.wait()
            assert len(service.runs()) == ended, "a run was under way"
        assert 80 <= len(taken) < 150
        made.worlds.salesforce.latency_s = 0
        with serving(tmp_path / "log2", made.config) as service:
            until(lambda: service.runs("done"))
            assert {row["Title"] for row in made.worlds.salesforce.rows("Lead")} >= {f"T{id.removeprefix('msg_')}" for id in taken}
            assert asyncio.run(burst(service.port, posts)) == set(posts)
            assert service.end() == 0
        assert made.run("sync").exit_code == 0
        assert sorted(row["Title"] for row in made.worlds.salesforce.rows("Lead")) == sorted(f"T{number}" for number in range(150))
        assert len(list(made.worlds.hubspot.contacts())) == 150


async def burst(port: int, posts: Mapping[str, bytes], then: Callable[[set[str]], object] = len) -> set[str]:
    """Post all at once; the ids of those that were acknowledged. `then` is called after each, with those so far."""
    taken: set[str] = set()
    async with httpx.AsyncClient(trust_env=False, limits=httpx.Limits(max_connections=50)) as client:

        async def one(id: str, body: bytes) -> None:
            with suppress(httpx.HTTPError):
                answer = await client.post(f"http://127.0.0.1:{port}/hooks/product", content=body, headers=signed(body, id=id))
                if answer.is_success:
                    taken.add(id)
                    then(taken)

        await asyncio.gather(*(one(*post) for post in posts.items()))
    return taken


def product(made: Box) -> None:
    """A product that tells of its people."""
    secret = made.config.with_name("product-secret.txt")
    secret.write_text(SECRET)
    secret.chmod(0o600)
    made.add('[systems.product]\nconnector = "webhook"\ndirection = "read"\nsecrets = [{ file = "product-secret.txt" }]\n')
    made.add('[[systems.product.events]]\nkind = "person"\nref = "id"\nemail = "email"\nfields = { job_title = "title" }\n')


def test_two_services_share_a_postgresql_state(acme: Box, tmp_path: Path, postgres_url: str) -> None:
    """Each due slot is run by one of them; when one is killed the other goes on alone."""
    acme.add(f'[state]\nurl = "{postgres_url}"\n')
    acme.run("sync", "--yes")
    with serving(tmp_path / "one", acme.config) as one, serving(tmp_path / "other", acme.config) as other:
        until(lambda: len(one.runs()) + len(other.runs()) >= 6)
        one.process.kill()
        one.process.wait()
        alone = len(other.runs("done"))
        until(lambda: len(other.runs("done")) >= alone + 3, within_s=100)
        assert other.end() == 0
        slots = [line["slot"] for line in [*one.runs(), *other.runs()] if line["slot"] is not None]
    assert len(slots) == len(set(slots))
    assert {line["outcome"] for line in [*one.runs(), *other.runs()]} <= {"done", "interrupted"}


def test_what_is_posted_is_everywhere_at_once(tmp_path: Path) -> None:
    """A product posts a changed phone number: it is in both CRMs within seconds although the next slot is a day away; a forged post is refused and counted."""
    with box(tmp_path, people=0) as made:
        product(made)
        made.add('[schedule]\nevery = "1d"\n[serve]\nport = 0\n')
        made.worlds.hubspot.by_hand.create({"email": "ann@acme.example", "lastname": "Lee"})
        made.run("sync", "--yes")
        with serving(tmp_path / "log", made.config) as service:
            until(lambda: service.runs("done"))
            body = orjson.dumps({"id": "u1", "email": "ann@acme.example", "title": "Head of Tea"})
            posted = time.monotonic()
            assert httpx.post(f"http://127.0.0.1:{service.port}/hooks/product", content=body, headers=signed(body), trust_env=False).is_success
            until(lambda: [row for row in made.worlds.salesforce.rows("Lead") if row.get("Title") == "Head of Tea"])
            took_s = time.monotonic() - posted
            assert httpx.post(f"http://127.0.0.1:{service.port}/hooks/product", content=body, headers=signed(body, OTHER), trust_env=False).status_code == 401
            assert service.metric('stagesync_webhook_events_total{system="product",what="stored"}') == 1
            assert service.metric('stagesync_webhook_events_total{system="product",what="unproved"}') == 1
            until(lambda: len(service.runs()) > 1)
            for name in ("inbox_waiting", "inbox_oldest_seconds", "inbox_parked", "outbox_waiting", "outbox_oldest_seconds", "outbox_dead"):
                assert f'stagesync_{name}{{system="product",workspace="box"}} 0.0' in service.get("/metrics")[1]
            assert service.end() == 0
    assert took_s < 10  # two seconds on a machine that has nothing else to do
    assert b"Head of Tea" not in (tmp_path / "log").read_bytes()
    assert [line["slot"] for line in service.runs()][1:] == [None] * (len(service.runs()) - 1)


def test_a_broken_configuration_stops_no_other(acme: Box, tmp_path: Path) -> None:
    """A folder with a good file and a bad one: the good workspace is run, the bad one is told in the log and by /readyz."""
    acme.run("sync", "--yes")
    folder = tmp_path / "all"
    folder.mkdir()
    acme.config = acme.config.rename(folder / "box.toml")
    acme.add(f'[state]\nurl = "sqlite:///{tmp_path}/stagesync.db"\n')
    (folder / "broken.toml").write_text('[systems.hubspot]\nconnector = "hubspott"\ntoken = "secret-token"\n', "utf-8")
    with serving(tmp_path / "log", folder) as service:
        until(lambda: service.runs("done"))
        status, body = service.get("/readyz")
        assert status == 503
        assert "broken.toml: the configuration has" in orjson.loads(body)["problems"][0]
        assert service.metric("stagesync_configurations_broken") == 1
        assert service.lines("configuration left out")[0]["file"].endswith("broken.toml")
        assert service.end() == 0
    assert b"secret-token" not in (tmp_path / "log").read_bytes()


def test_a_service_that_cannot_begin_says_why(acme: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No configuration that works, two addresses or two workspaces of one name for one service, posts that could not be proved, or a taken port: exit 2."""
    twin = acme.config.with_name("twin.toml")
    twin.write_text(acme.config.read_text("utf-8").replace("port = 0", "port = 8099"), "utf-8")
    broken = tmp_path / "broken.toml"
    broken.write_text("[systems", "utf-8")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        acme.replace("port = 0", f"port = {taken.getsockname()[1]}")
        namesake = tmp_path / "elsewhere" / "box.toml"
        namesake.parent.mkdir()
        namesake.write_text(acme.config.read_text("utf-8"), "utf-8")
        deaf = tmp_path / "deaf.toml"
        hears = '[systems.hubspot]\nhook_secrets = [{ env = "STAGESYNC_DEAF" }]\n'
        deaf.write_text(acme.config.read_text("utf-8").replace("[systems.hubspot]\n", hears), "utf-8")
        monkeypatch.setenv("STAGESYNC_DEAF", "secret-of-an-app")
        for words, said in (
            ((broken,), "no configuration can be used"),
            ((acme.config, twin), "want different addresses"),
            ((acme.config, namesake), "have workspaces of one name, 'box'"),
            ((acme.config, deaf), "public_url is missing: hubspot would sign"),
            ((acme.config,), "cannot be listened at"),
        ):
            ended = cli("serve", *map(str, words))
            assert (ended.exit_code, said in ended.output) == (2, True), ended.output


def test_a_second_signal_ends_at_once(tmp_path: Path) -> None:
    """Somebody who cannot wait for the batch in hand loses nothing: exit 130, and the next run goes on."""
    with box(tmp_path, people=5) as made:
        made.run("sync", "--yes")
        made.add(EVERY_SECOND)
        made.worlds.hubspot.by_hand.create({"email": "new@acme.example", "lastname": "New"})
        made.worlds.salesforce.latency_s = 5.0
        made.reset()
        with serving(tmp_path / "log", made.config) as service:
            until(lambda: made.worlds.salesforce.calls)
            service.process.send_signal(signal.SIGTERM)
            until(lambda: service.lines("stopping after the batch in hand"))
            assert service.end() == 130
        made.worlds.salesforce.latency_s = 0
    assert cli("schedule", str(made.config)).exit_code == 0


def test_a_shadow_only_looks_on(acme: Box, tmp_path: Path) -> None:
    """By the clock, from the first look on, with nobody's approval: an edit is what would have been written, and no call that changes anything arrives."""
    with serving(tmp_path / "log", Path("--shadow"), acme.config) as service:
        until(lambda: service.runs("done"))
        acme.worlds.hubspot.by_hand.create({"email": "new@acme.example", "lastname": "New", "company": "Acme"})
        until(lambda: "for hubspot contact" in cli("shadow", "report", "--config", str(acme.config)).stdout)
        assert service.get("/readyz") == (200, '{"ready":true,"problems":[]}')
        assert service.end() == 0
    assert acme.written() == []
    assert not (tmp_path / "stagesync.db").exists()
    assert b"new@acme" not in (tmp_path / "log").read_bytes()
