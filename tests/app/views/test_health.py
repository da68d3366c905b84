"""`stagesync report`: what it says of a workspace, as text, as an object and as a page, and that `status` says the same."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any

import orjson
import pytest
from cli_box import Box, box, cli
from pages import Structure
from unwell import QUOTED, unwell, well

from stagesync.app import wiring
from stagesync.app.configuration.loading import load
from stagesync.app.standing import health
from stagesync.app.standing.health_needs import needs, verdict
from stagesync.app.views.health import health_json, health_text
from stagesync.app.views.health_html import page
from stagesync.state import accounts, schedule

GOLDEN = Path(__file__).parent / "golden"
HOUR = 3_600_000


@pytest.fixture
def acme(tmp_path: Path) -> Iterator[Box]:
    """Forty people, of whom some raise questions."""
    with box(tmp_path, people=40) as made:
        made.replace('"contact details" = "newest"\n', "")
        yield made


def test_the_text_is_as_it_was(tmp_path: Path) -> None:
    """What needs somebody comes first, what is broken before it; then systems, people, questions, refusals, acceptance, runs."""
    assert "\n".join(health_text(unwell(tmp_path))) + "\n" == (GOLDEN / "health.txt").read_text("utf-8")


def test_a_good_day_is_one_sentence(tmp_path: Path) -> None:
    """Where nothing needs anybody, the second line says so and no list follows."""
    assert health_text(well(tmp_path))[1:3] == ["All is well: nothing needs you.", ""]
    assert "✓ All is well: nothing needs you." in page(well(tmp_path))
    told = health_json(well(tmp_path))
    assert (told["verdict"], told["needs"]) == ("well", [])


@pytest.mark.parametrize("made", [unwell, well])
def test_the_page_stands_alone_and_can_be_heard(tmp_path: Path, made: Any) -> None:
    """No script, no address, a policy against both; each drawing has a title and a description, each table heads for columns and rows; names are unique."""
    text = page(made(tmp_path))
    found = Structure(text)
    tags = {tag for tag, _ in found.elements}
    attributes = {name for _, given in found.elements for name in given}
    assert tags.isdisjoint({"script", "link", "img", "iframe", "object", "embed", "form", "a", "style src"})
    assert attributes.isdisjoint({"src", "href", "style", "onload", "onclick", "xlink:href", "action"})
    assert "url(" not in text
    assert "@import" not in text
    policy = next(str(meta["content"]) for meta in found.all("meta") if meta.get("http-equiv") == "Content-Security-Policy")
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    assert found.all("html") == [{"lang": "en"}]
    ids = [given["id"] for _, given in found.elements if "id" in given]
    assert len(ids) == len(set(ids))
    drawings = found.all("svg")
    assert len(drawings) >= 4
    for drawing in drawings:
        assert drawing["role"] == "img"
        assert set(str(drawing["aria-labelledby"]).split()) <= set(ids)
    assert all(head["scope"] in ("col", "row") for head in found.all("th"))
    for told in ("prefers-color-scheme: dark", "@media print", "print-color-adjust: exact"):
        assert told in text


def test_what_others_wrote_is_text_on_the_page(tmp_path: Path) -> None:
    """Names of fields and rules that look like HTML are shown as they are; a reason that quotes somebody's value is not shown."""
    text = page(unwell(tmp_path))
    for told in ("in &lt;b&gt;Title&amp;", "free &lt;i&gt;mail"):
        assert told in text
    everywhere = unescape(text) + "\n".join(health_text(unwell(tmp_path))) + str(health_json(unwell(tmp_path)))
    assert QUOTED not in everywhere
    assert "somebody.example" not in everywhere


def test_every_part_of_the_brief_is_on_the_page(tmp_path: Path) -> None:
    """Systems, people, each question with each of its answers, each cause with its remedy and its retry, acceptance, quota and runs; `verify` as the proof."""
    found = unwell(tmp_path)
    text = unescape(page(found)).replace("<code>", "`").replace("</code>", "`")
    for group in found.holds:
        assert group.plain_title in text
        assert all(f"`stagesync resolve {group.id} --use {use}` {meaning}" in text for use, meaning in group.answers.items())
    for each in found.refused:
        assert f"{each.helps[1:]}. Then `stagesync retry {each.id}`." in text
    for told in (
        "read 2 days ago (too old)",
        "212,400 of 250,000 used",
        "a quiet day costs 480",
        "Only `stagesync verify` asks them again, and is the proof.",
        "85.8 %",
        "6 writes have no known outcome yet",
    ):
        assert told in text
    assert text.count('<tr><th scope="row" class="number">') == 10


def test_status_and_report_agree(acme: Box) -> None:
    """Both take their figures from the same functions: before a run, after one, and with questions; neither calls a system, and the page names nobody."""
    for act in (lambda: None, lambda: acme.run("plan"), lambda: acme.run("sync", "--yes")):
        act()
        acme.reset()
        status, told = acme.json("status"), acme.json("report")
        assert acme.calls() == {}
        assert told["people"]["all"] == status["people"] == sum(number for name, number in told["people"].items() if name != "all")
        assert [(each["id"], each["holds"]) for each in told["questions"]] == [(each["id"], each["holds"]) for each in status["questions"]]
        assert sum(each["count"] for each in told["refused"]) == status["refused"]
        assert (len(status["unmapped"]), status["unknown_outcomes"]) == (told["unmapped"], told["unknown_outcomes"])
        assert (told["runs"] or [None])[0] == status["last_run"]
    assert told["people"]["held"] > 0
    assert told["verdict"] == "asks"
    out = acme.config.with_name("health.html")
    shown = acme.run("report", "--html", str(out))
    assert (shown.exit_code, shown.stdout) == (0, "")
    assert f"{out} is the page" in shown.stderr
    text = out.read_text("utf-8").lower()
    for contact in acme.worlds.hubspot.contacts():
        properties = contact["properties"]
        assert not any(str(properties[name]).lower() in text for name in ("email", "phone", "mobilephone") if properties.get(name))


def test_everybody_counts_once(acme: Box) -> None:
    """A question is held; answered with skip it is left alone; answered otherwise its people are behind until the next run; a refused write is its own."""
    acme.worlds.salesforce.fail_rows("STRING_TOO_LONG", "too long", kind="Lead", times=1)
    acme.run("sync", "--yes")
    before = acme.json("report")
    assert before["people"]["refused"] >= 1
    assert before["refused"][0]["remedy"].startswith("the value is longer than the field")
    for number, group in enumerate(before["questions"]):
        acme.run("resolve", group["id"], "--use", "skip" if number == 0 else "hubspot")
    after = acme.json("report")["people"]
    assert (after["held"], after["all"]) == (0, before["people"]["all"])
    assert after["left_alone"] > 0
    assert after["behind"] > 0
    acme.run("retry")
    acme.run("sync", "--yes")
    last = acme.json("report")["people"]
    assert (last["behind"], last["refused"]) == (0, 0)
    assert last["left_alone"] + last["in_sync"] + last["held"] == last["all"]


def test_a_service_that_does_not_run_is_broken(acme: Box) -> None:
    """A run that is overdue, one that failed and a system that was not read since are told, the reason on one line with what to do."""
    acme.run("sync", "--yes")
    with wiring.opened(load(acme.config)) as place, place.store.write() as tx:
        now = place.clock.now_ms()
        schedule.set_next(tx, place.id, "every 1 min", now - HOUR, now - HOUR)
        schedule.begin(tx, place.id, now - HOUR, "a service")
        schedule.end(tx, place.id, now - HOUR, "unreachable", "salesforce of p@firm.example does not answer (x)\n  -> try again later", 3)
        accounts.set_read(tx, place.id, accounts.bound(tx, place.id)["salesforce"], now - 26 * HOUR)
    told = acme.json("report")
    assert told["verdict"] == "broken"
    assert [need["what"] for need in told["needs"] if need["broken"]] == [
        "The next run was due 60 min ago.",
        "The last run of the service failed (unreachable, 3 times in a row): salesforce of <e-mail> does not answer (x).",
        "salesforce was last read 26 h ago: nobody knows what was edited there since.",
    ]
    assert told["needs"][1]["how"] == "Try again later."
    assert [(each["system"], each["stale"]) for each in told["systems"]] == [("hubspot", False), ("salesforce", True)]


@pytest.mark.parametrize(("outcome", "times", "told"), [("unreachable", 1, "asks"), ("unreachable", 3, "broken"), ("configuration", 1, "broken")])
def test_what_may_pass_by_itself_is_broken_at_the_third_time(acme: Box, outcome: str, times: int, told: str) -> None:
    """A vendor that was away for one run is told, and needs nobody at once; a credential that is refused does not mend itself."""
    acme.run("sync", "--yes")
    with wiring.opened(load(acme.config)) as place, place.store.write() as tx:
        now = place.clock.now_ms()
        schedule.set_next(tx, place.id, "every 1 min", now + HOUR, now + HOUR)
        schedule.begin(tx, place.id, now, "a service")
        schedule.end(tx, place.id, now, outcome, "", times)
    found = acme.json("report")
    assert found["verdict"] == told
    assert any(need["what"].endswith(": no reason was kept.") and need["how"] == "See its log." for need in found["needs"])


def test_a_run_that_does_not_end_is_not_taken_for_a_dead_service(acme: Box) -> None:
    """A long run passes over moments of its timetable: that is told as a question, with since when it runs."""
    acme.run("sync", "--yes")
    with wiring.opened(load(acme.config)) as place, place.store.write() as tx:
        now = place.clock.now_ms()
        schedule.set_next(tx, place.id, "every 1 min", now - HOUR // 2, now - HOUR // 2)
        schedule.begin(tx, place.id, now - HOUR, "a service")
    told = acme.json("report")
    assert told["verdict"] == "asks"
    assert told["needs"][0]["what"] == "A run began 60 min ago and has not ended; the next was due 30 min ago."


def test_few_of_many_are_not_rounded_away() -> None:
    """One held person of a hundred thousand: 99.9 % are in sync, not 100 %; everybody is the whole, and of nobody there is no share."""
    nearly = health.Agreement(1, 0, 0, 0, 99_999)
    assert nearly.share(nearly.in_sync) == 0.999
    assert health.Agreement(0, 0, 0, 0, 7).share(7) == 1.0
    assert health.Agreement(0, 0, 0, 0, 0).share(0) is None


class At:
    """A clock that stands."""

    def __init__(self, moment: str) -> None:
        self.now = int(datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp() * 1000)

    def now_ms(self) -> int:
        """The moment."""
        return self.now

    def monotonic(self) -> float:
        """Nothing passes."""
        return 0.0

    def sleep(self, seconds: float) -> None:
        """Nobody waits here."""
        raise AssertionError(seconds)


@pytest.mark.parametrize(
    ("now", "stale"),
    [("2026-11-20T18:30", False), ("2026-11-22T12:00", False), ("2026-11-23T06:30", False), ("2026-11-23T07:04", False), ("2026-11-23T07:06", True)],
)
def test_a_weekend_without_runs_is_not_too_old(acme: Box, now: str, stale: bool) -> None:
    """The bound follows the timetable: two of its moments may pass, and five minutes."""
    acme.add('\n[schedule]\ncron = "0 6-18 * * mon-fri"\n')
    acme.run("sync", "--yes")
    with wiring.opened(load(acme.config), At(now)) as place:
        with place.store.write() as tx:
            schedule.set_next(tx, place.id, "cron", place.clock.now_ms() + HOUR, place.clock.now_ms() + HOUR)
            for account in accounts.bound(tx, place.id).values():
                accounts.set_read(tx, place.id, account, At("2026-11-20T18:00").now)
        with place.store.read() as tx:
            found = health.look(tx, place)
    assert [each.stale for each in found.freshness] == [stale, stale]
    assert (verdict(needs(found)) == "broken") is stale


def test_a_plan_that_waits_and_a_run_that_broke_off_are_told(acme: Box) -> None:
    """The first plan of a workspace waits for approval, by its digest; a workspace that was never synced is not called broken."""
    acme.run("plan")
    told = acme.json("report")
    assert told["verdict"] == "asks"
    digest = told["runs"][0]["digest"]
    assert any(f"stagesync apply --approve {digest}" in need["how"] for need in told["needs"])
    assert told["needs"][0]["what"] == "This workspace was never synced."


def test_a_page_without_a_folder_is_refused(acme: Box) -> None:
    """Exit 2 before anything is looked at, and nothing is left behind."""
    result = cli("report", "--config", str(acme.config), "--html", str(acme.config.parent / "nowhere" / "a.html"))
    assert result.exit_code == 2
    assert "the folder does not exist" in result.stderr


def test_the_object_is_json(tmp_path: Path) -> None:
    """Everything in it can be written as JSON, and is what it was afterwards."""
    told = health_json(unwell(tmp_path))
    assert orjson.loads(orjson.dumps(told))["verdict"] == "broken"
