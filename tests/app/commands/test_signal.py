"""`stagesync signal`: what is told from outside is kept once, all of it or nothing, and finds its people."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
import pytest
from cli_box import Box, box, cli
from typer.testing import Result

from stagesync.state import leases
from stagesync.state.store import open_store


@pytest.fixture
def acme(tmp_path: Path) -> Iterator[Box]:
    """Anna is known, with one record in HubSpot and one in Salesforce; Ben is not."""
    with box(tmp_path, people=0) as made:
        made.worlds.hubspot.create({"email": "anna@acme.example", "firstname": "Anna", "lastname": "Ash"})
        assert made.run("sync", "--yes").exit_code == 0
        yield made


def event(**more: Any) -> dict[str, Any]:
    """One event of the product's."""
    return {"kind": "usage", "at": "2026-03-01T09:30:00Z", "source": "product", **more}


def add(acme: Box, *events: dict[str, Any] | str, json_: bool = False) -> Result:
    """`signal add -` with these lines."""
    lines = "\n".join(each if isinstance(each, str) else json.dumps(each) for each in events)
    return cli("signal", "add", "-", "--config", str(acme.config), *(["--json"] if json_ else []), input=lines)


def listed(acme: Box, who: str) -> list[dict[str, Any]]:
    """`signal list WHO --json`: the signals of one person."""
    (person,) = orjson.loads(cli("signal", "list", who, "--json", "--config", str(acme.config)).stdout)["people"]
    return person["signals"]


def test_told_once_or_twice_it_is_one(acme: Box) -> None:
    """An event is the same by its id, or by everything that it says; the answer tells what was new."""
    first = add(acme, event(id="e1", email="Anna@ACME.example"), "", event(email="anna@acme.example", attributes={"feature": "export", "paid": True}))
    assert (first.exit_code, first.stdout) == (0, "2 new signals kept.\nThe next run looks at the people concerned.\n")
    again = add(
        acme, event(id="e1", person="p1", kind="other"), '{"attributes":{"paid":true,"feature":"export"},' + json.dumps(event(email="anna@acme.example"))[1:]
    )
    assert again.stdout == "0 new signals kept, 2 known already.\n"
    told = add(
        acme, event(id="e1", email="anna@acme.example"), event(id="e2", email="anna@acme.example"), event(id="e2", email="anna@acme.example"), json_=True
    )
    assert orjson.loads(told.stdout) == {"new": 1, "known": 2, "nobodys": 0, "forgotten": 0}


def test_every_way_to_name_somebody(acme: Box) -> None:
    """An address, our number, a record of either system, and a match key mean the same person, at once and after the next run."""
    (lead,), (contact,) = acme.worlds.salesforce.rows("Lead"), acme.worlds.hubspot.contacts()
    ways = [
        {"email": "anna@acme.example"},
        {"person": "p1"},
        {"system": "hubspot", "ref": contact["id"]},
        {"system": "salesforce", "ref": lead["Id"]},
        {"system": "salesforce", "ref": f"lead/{lead['Id']}"},
        {"key": "email", "value": "ANNA@acme.example "},
    ]
    told = add(acme, *(event(id=number, at=1772357400000 + number, **way) for number, way in enumerate(ways)), json_=True)
    assert orjson.loads(told.stdout) == {"new": 6, "known": 0, "nobodys": 0, "forgotten": 0}
    before = listed(acme, "anna@acme.example")
    assert [each["key"] for each in before] == ["5", "4", "3", "2", "1", "0"]
    assert before[0]["at"] == "2026-03-01T09:30:00.005Z"
    assert acme.run("sync", "--yes").exit_code == 0
    assert listed(acme, "p1") == before
    text = cli("signal", "list", "p1", "--config", str(acme.config)).stdout
    assert text.startswith("Anna Ash <anna@acme.example> (p1)\n  2026-03-01 09:30:00  usage  product")


def test_somebody_who_is_not_known_yet(acme: Box) -> None:
    """An unknown address or record keeps its events until somebody turns out to have it."""
    told = add(acme, event(email="ben@acme.example"), event(system="salesforce", ref="lead/00Q000000000999EAA"), event(id="x", email="anna@acme.example"))
    assert "3 new signals kept.\n2 of them are about somebody who is not known yet, and will be theirs as soon as they are.\n" in told.stdout
    acme.later(3600)
    acme.worlds.hubspot.create({"email": "ben@acme.example", "lastname": "Bay"})
    assert acme.run("sync", "--yes").exit_code == 0
    assert [each["source"] for each in listed(acme, "ben@acme.example")] == ["product"]


def test_all_or_nothing(acme: Box) -> None:
    """Every line that is wrong is told with its number and without anybody's data, and nothing of the file is kept."""
    good = event(email="anna@acme.example")
    lines: list[tuple[dict[str, Any] | str, str]] = [
        (good, ""),
        ("{", "is no JSON"),
        ("[1]", "is no JSON object"),
        (event(), "say in one way whom it is about"),
        (event(email="a@b.example", person="p1"), "say in one way whom it is about"),
        (event(email="secret-name"), "email: is no e-mail address"),
        (event(email="anna@acme.example", at="2026-03-01T09:30:00"), "at: tells no time zone"),
        (event(email="anna@acme.example", at="yesterday"), "at: is no time"),
        (event(email="anna@acme.example", at=1772357400), "at: lies before 1973"),
        (event(email="anna@acme.example", at="2999-01-01T00:00:00Z"), "at: lies in the future"),
        (event(email="anna@acme.example", at=None), "at: is neither"),
        (event(email="anna@acme.example", kind="Feature Used"), "kind: use up to 40 small letters"),
        (event(email="anna@acme.example", who="x"), "who: there is no such key"),
        (event(email="anna@acme.example", source=""), "source: "),
        (event(email="anna@acme.example", id="a\u0000b"), "id: holds a character that cannot be printed"),
        (event(email="anna@acme.example", attributes={"a": [1]}), "attributes.a: is neither text nor a number"),
        (event(system="hubspot"), "system goes with ref"),
        (event(system="pipedrive", ref="1"), "there is no system of that name; known: hubspot, salesforce"),
        (event(key="customer", value="1"), "key: is not configured; known: email"),
        (event(person="12"), "person: is no number of ours"),
        ({**event(email="anna@acme.example"), "attributes": {"long": "x" * 100_000}}, "is longer than 100,000 bytes"),
    ]
    told = add(acme, *(line for line, _ in lines))
    assert told.exit_code == 2
    for number, (_, problem) in enumerate(lines, 1):
        assert (f"line {number}: " in told.stderr) == bool(problem), number
        assert problem in told.stderr
    assert "secret-name" not in told.stderr
    assert listed(acme, "anna@acme.example") == []
    unknown = add(acme, good, event(person="p77"), event(system="salesforce", ref="00Q1"), event(system="salesforce", ref="task/1"))
    assert unknown.exit_code == 2
    for problem in ("line 2: there is no person p77", "line 3: nobody has read that record", "line 4: salesforce has no kind 'task': lead or contact"):
        assert problem in unknown.stderr
    assert listed(acme, "anna@acme.example") == []
    many = add(acme, *["{"] * 30)
    assert "... and 10 more" in many.stderr


def test_a_file(acme: Box, tmp_path: Path) -> None:
    """A file with a byte order mark and Windows line ends is read like any other; one that is not there is one clear message."""
    file = tmp_path / "usage.jsonl"
    file.write_bytes(b"\xef\xbb\xbf" + json.dumps(event(email="anna@acme.example")).encode() + b"\r\n\r\n")
    assert cli("signal", "add", str(file), "--config", str(acme.config)).stdout.startswith("1 new signal kept.")
    missing = cli("signal", "add", str(tmp_path / "none"), "--config", str(acme.config))
    assert (missing.exit_code, "cannot be read" in missing.stderr) == (2, True)
    assert "nobody is known" in cli("signal", "list", "ben@acme.example", "--config", str(acme.config)).stderr


def test_other_views_tell_of_signals(acme: Box) -> None:
    """`why` says under the stage what somebody did, and `status` how many signals there are."""
    quiet = [acme.run("why", "anna@acme.example", "stage").stdout, acme.run("status").stdout]
    assert "What they did" not in quiet[0]
    assert "Signals kept" not in quiet[1]
    add(acme, event(email="anna@acme.example", at="2026-02-01T00:00:00Z"), event(email="anna@acme.example"), event(kind="call", email="anna@acme.example"))
    add(acme, event(kind="call", at="2026-01-01T00:00:00+09:00", email="ben@acme.example"))
    assert "What they did (`stagesync signal list`): usage 2 (last 2026-03-01), call 1 (last 2026-03-01)" in acme.run("why", "p1", "stage").stdout
    assert [each["kind"] for each in acme.json("why", "p1")["people"][0]["signals"]] == ["call", "usage", "usage"]
    assert "\nSignals kept: call 2, usage 2\n" in acme.run("status").stdout
    assert acme.json("status")["signals"][0] == {"source": "product", "kind": "call", "signals": 2, "last": "2026-03-01T09:30:00.000Z"}


def test_a_run_under_way_is_not_waited_for(acme: Box) -> None:
    """Signals come in while somebody else holds the workspace."""
    with closing(open_store(f"sqlite:///{acme.config.parent / 'stagesync.db'}")) as store, leases.acquire(store, 1, "another run"):
        assert add(acme, event(email="anna@acme.example")).exit_code == 0


def test_whoever_keeps_none_is_told(acme: Box) -> None:
    """Where no rule looks at signals they are kept all the same, with a word about it; with `keep` the vendors' own are kept too."""
    assert "Runs look at no signals" in add(acme, event(email="anna@acme.example")).stderr
    acme.add("\n[signals]\nkeep = true\n")
    acme.later(3600)
    acme.worlds.hubspot.submit_form("anna@acme.example", "E-book", source="PAID_SEARCH")
    assert acme.run("sync", "--yes").exit_code == 0
    assert add(acme, event(email="anna@acme.example", id="2")).stderr == ""
    assert [each["kind"] for each in listed(acme, "p1")] == ["form", "source", "usage", "usage"]
