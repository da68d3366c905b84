"""Each phase of a migration beside each trouble: one clear error with its exit code, nothing half-written, and once it is mended the same command goes on."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from signal import SIGINT, SIGTERM, Signals

import pytest
from cli_box import QuickClock, cli
from kills import CREATE_LEADS, TIMEOUT_S, Stand
from moving import WAY, Move, move
from programs import Program
from service import until

from stagesync.app import wiring
from stagesync.state import leases
from stagesync.state.store import open_store

PEOPLE = 4
WRITES = ("rehearse", "load", "cutover")
PHASES = ("survey", "rehearse", "load", "verify", "cutover")
posix = pytest.mark.skipif(os.name != "posix", reason="signals are other things there")


@dataclass
class Ready:
    """A migration of which one phase is next. `words`: what that wants."""

    move: Move
    phase: str
    words: tuple[str, ...]

    def go(self, *words: str) -> tuple[int, str, str]:
        """The phase: its exit code, and what it says on both streams, but for the log."""
        done = self.move.phase(self.phase, *self.words, *words)
        return done.exit_code, done.stdout, "\n".join(line for line in done.stderr.splitlines() if not line.startswith("{"))

    def arrived(self) -> list[str]:
        """The addresses in the target, each as often as it is there."""
        return sorted(row["Email"] for row in self.move.crm.rows("Lead"))

    def expected(self) -> list[str]:
        """Those that are in the target once the phase has come to its end."""
        there = {"survey": 0, "verify": PEOPLE}.get(self.phase, PEOPLE)
        late = ["late@acme.example"] if self.phase == "cutover" else []
        return sorted([*late, *(f"p{number}@acme.example" for number in range(there))])


def ready(made: Move, phase: str) -> Ready:
    """The phases before it are done; before a cutover somebody new has come."""
    made.people(PEOPLE, lifecyclestage="lead")
    if phase == "survey":
        return Ready(made, phase, WAY)
    digest = made.json("survey", *WAY)["digest"]
    if phase in ("verify", "cutover"):
        assert made.phase("load", "--approve", digest).exit_code == 0
    if phase == "cutover":
        made.hub.create({"email": "late@acme.example", "lastname": "Late"})
    made.box.reset()
    return Ready(made, phase, {"load": ("--approve", digest), "verify": ()}.get(phase, ("--yes",)))


@pytest.fixture
def at(tmp_path: Path, phase: str) -> Iterator[Ready]:
    """Just before the phase."""
    with move(tmp_path) as made:
        yield ready(made, phase)


Mend = Callable[[], object]


def wrong_token(at: Ready, token: str) -> Mend:
    """Somebody rotated it."""
    at.move.box.replace(token, "rotated")
    return lambda: at.move.box.replace("rotated", token)


def spent_source(at: Ready) -> Mend:
    """HubSpot's quota of the day."""
    world = at.move.box.worlds.hubspot
    world.faults.add(replace(world.troubles["limit of the day"], times=99))
    return world.faults.clear


def spent_target(at: Ready) -> Mend:
    """Our share of Salesforce's quota of the day."""
    usage = at.move.crm.hands["hands/api-usage"]
    usage({"used": 90_000})
    return lambda: usage({"used": 0})


def gone(at: Ready) -> Mend:
    """Nobody listens at the target's address."""
    url, nowhere = at.move.box.salesforce_url, "http://127.0.0.1:9"
    at.move.box.replace(url, nowhere)
    return lambda: at.move.box.replace(nowhere, url)


def held(at: Ready) -> Mend:
    """Another run holds the workspace."""
    at.move.box.run("status")
    stack = ExitStack()
    store = open_store(f"sqlite:///{_state(at)}")
    stack.callback(store.close)
    hold: AbstractContextManager[object] = leases.acquire(store, 1, "stagesync sync on crm-box, pid 4711")
    stack.enter_context(hold)
    return stack.close


def no_database(at: Ready) -> Mend:
    """Something else lies where the state should."""
    at.move.box.run("status")
    path, kept = _state(at), _state(at).with_suffix(".kept")
    path.rename(kept)
    path.write_text("no database, and longer than the mark that one begins with", "utf-8")
    return lambda: kept.replace(path)


def shadow(at: Ready) -> Mend:
    """The configuration leads to what a shadow remembers."""
    assert cli("shadow", "run", "--config", str(at.move.box.config)).exit_code == 0
    at.move.box.add('[state]\nurl = "sqlite:///box.shadow.db"\n')
    return lambda: at.move.box.replace('[state]\nurl = "sqlite:///box.shadow.db"\n', "")


def _state(at: Ready) -> Path:
    return at.move.box.config.with_name("stagesync.db")


TROUBLES: dict[str, tuple[Callable[[Ready], Mend], int, str]] = {
    "source's token": (lambda at: wrong_token(at, "pat-sandbox-token"), 2, "HubSpot does not accept the credential"),
    "target's token": (lambda at: wrong_token(at, "00D-sandbox-session"), 2, "the access token is expired or wrong (salesforce.access_token)"),
    "source's quota": (spent_source, 4, "the daily quota of the HubSpot account is used up"),
    "target's quota": (spent_target, 4, "of 100000 API calls of today are used"),
    "unreachable": (gone, 4, "no connection (salesforce)"),
    "held": (held, 3, "is held by stagesync sync on crm-box, pid 4711"),
    "no database": (no_database, 5, "the file is not an SQLite database"),
    "a shadow's state": (shadow, 2, "this state is a shadow's"),
}


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("phase", PHASES)
def test_a_trouble_ends_in_one_error_and_loses_nothing(at: Ready, trouble: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What, in which place and what to do next; nothing is written anywhere, and afterwards the phase comes to its end, with everybody there once."""
    monkeypatch.setattr(wiring, "SystemClock", QuickClock)  # nobody waits for a system that does not answer
    make, code, said = TROUBLES[trouble]
    mend, before = make(at), at.arrived()
    at.move.box.reset()
    ended, out, told = at.go()
    assert (ended, out) == (code, ""), told
    assert re.fullmatch(r"stagesync: [^\n]+\n  -> [^\n]+", told), told
    assert said in told
    assert (at.move.box.written(), at.arrived()) == ([], before)
    mend()
    ended, _, told = at.go()
    assert ended == 0, told
    assert at.arrived() == at.expected()


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize(("words", "said"), [
    (("--from", "hubspot"), "only one of the two systems is named (--to)"),
    (("--to", "salesforce"), "only one of the two systems is named (--from)"),
    (("--from", "hubspot", "--to", "hubspot"), "both are the same system (--to)"),
    (("--from", "hubspott", "--to", "salesforce"), "no system is called 'hubspott' (--from)\n  -> Did you mean hubspot?"),
])  # fmt: skip
def test_a_way_that_makes_no_sense_is_refused_by_each_phase(tmp_path: Path, phase: str, words: tuple[str, ...], said: str) -> None:
    """Exit 2, before any system is called, and before anything else is looked at."""
    with move(tmp_path) as made:
        done = made.phase(phase, *words)
        assert (done.exit_code, said in done.stderr, made.box.calls()) == (2, True, {}), done.stderr


@pytest.mark.parametrize("phase", PHASES[1:])
def test_another_way_and_another_workspace_begin_with_a_survey(at: Ready) -> None:
    """Neither the way back nor another workspace in the same state goes on from what was done here: exit 2 with the command that comes first."""
    first = "load" if at.phase in ("verify", "cutover") else "survey"
    code, _, told = at.go("--from", "salesforce", "--to", "hubspot")
    assert (code, f"run `stagesync migrate {first} --from salesforce --to hubspot`" in told) == (2, True), told
    at.move.box.add('\n[workspace]\nname = "other"\n')
    code, _, told = at.go()
    assert (code, "write for example `stagesync migrate survey --from hubspot --to salesforce`" in told) == (2, True), told
    assert at.move.box.written() == []


@pytest.mark.parametrize(("phase", "words"), [
    ("rehearse", ("--people", "0")),
    ("rehearse", ("--people", "many")),
    ("load", ("--approve", "0123abcd")),
    ("load", ("--aprove", "0123abcd")),
    ("survey", ("--html", "nowhere/survey.html")),
    ("verify", ("--html", ".")),
    ("cutover", ("--twoway",)),
])  # fmt: skip
def test_a_slip_on_the_command_line_is_exit_2(at: Ready, words: tuple[str, ...]) -> None:
    """Numbers, digests, folders and options that are none; nothing is written."""
    code, out, told = at.go(*words)
    assert (code, out, at.move.box.written()) == (2, "", []), told


@pytest.mark.parametrize("phase", ["rehearse", "load"])
def test_a_mapping_that_changed_wants_another_survey(at: Ready) -> None:
    """What was surveyed is rehearsed and loaded, and nothing else: exit 3 until there is a new survey."""
    at.move.box.add('\n[fields.job_title]\npolicy = "always hubspot"\n')
    code, _, told = at.go()
    assert (code, "changed since the survey" in told, "run `stagesync migrate survey` again" in told) == (3, True, True), told
    assert at.move.box.written() == []
    digest = at.move.json("survey")["digest"]
    at.words = ("--approve", digest) if at.phase == "load" else at.words
    assert (at.go()[0], at.arrived()) == (0, at.expected())


@pytest.mark.parametrize("phase", WRITES)
def test_a_required_field_that_came_since_refuses_each_by_name(at: Ready) -> None:
    """Somebody made a field required that no map fills: exit 1, `errors` says which and what helps, and with a value everybody arrives."""
    at.move.crm.define("Lead", "Region__c", nillable=False)
    before = at.arrived()
    code, _, told = at.go()
    assert (code, at.arrived()) == (1, before), told
    assert "REQUIRED_FIELD_MISSING in Region__c" in at.move.box.run("errors").stdout
    at.move.box.replace("LastName =", 'Region__c = "EMEA", LastName =')
    assert at.move.box.run("retry").exit_code == 0
    again = at.go() if at.phase == "cutover" else (at.move.load().exit_code, "", "")  # whom a rehearsal could not move, the load does
    assert (again[0], at.arrived()) == (0, at.expected()), again


@pytest.mark.parametrize("phase", WRITES)
@pytest.mark.parametrize("trouble", ["lost before", "lost after", "error 503", "limit of the day"])
def test_trouble_in_the_middle_of_a_write_doubles_nobody(at: Ready, trouble: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What became of the request is found out at once: where it was carried out, the phase says no more of it; what was not is left, and said to be, unless
    the phase itself does it in a second run, as the load does. Everybody is there once.
    """
    monkeypatch.setattr(wiring, "SystemClock", QuickClock)
    world = at.move.crm
    world.faults.add(replace(world.troubles[trouble], match=CREATE_LEADS))
    ended, out, told = at.go()
    code, word = 0, "created"
    if trouble == "limit of the day":
        code, word = 4, "\n  -> "
    elif trouble != "lost after" and at.phase != "load":
        code, word = 1, "skipped"
    assert (ended, word in out + told) == (code, True), told
    assert ("From now on" in out) == (at.phase == "cutover" and code == 0)
    world.faults.clear()
    again = at.go() if at.phase != "rehearse" else (at.move.load().exit_code, "", "")
    assert (again[0], at.arrived()) == (0, at.expected()), again
    assert at.move.phase("verify").exit_code == 0


@pytest.mark.parametrize("phase", PHASES)
def test_a_rate_limit_is_waited_for(at: Ready, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too many calls in ten seconds are no accident: the phase waits, and comes to its end."""
    monkeypatch.setattr(wiring, "SystemClock", QuickClock)
    world = at.move.box.worlds.hubspot
    world.faults.add(replace(world.troubles["limit of ten seconds"], times=2))
    code, _, told = at.go()
    assert (code, at.arrived()) == (0, at.expected()), told


@posix
@pytest.mark.parametrize("number", [SIGINT, SIGTERM])
@pytest.mark.parametrize("phase", PHASES)
def test_a_phase_that_reads_is_broken_off_at_once(at: Ready, number: Signals) -> None:
    """Exit 130 with one line; nothing was written, and the same command comes to its end."""
    place, met = Stand(at.move.box, None, TIMEOUT_S), list[Program]()
    place.at_request(2, lambda: met[0].signal(number), before=True)
    met.append(place.start("migrate", at.phase, *at.words))
    assert (met[0].ended(), met[0].out) == (130, ""), met[0].err
    assert "stagesync: interrupted; nothing is lost: the next run goes on from here" in met[0].err
    assert (at.move.box.written(), at.go()[0], at.arrived()) == ([], 0, at.expected())


@posix
@pytest.mark.parametrize(("phase", "next_step"), [
    ("rehearse", "`stagesync migrate rehearse --undo` puts back what was written"),
    ("load", "Next: `stagesync migrate load` once more"),
    ("cutover", "Nothing is cut over yet. Next: `stagesync migrate cutover`, which goes on where it was"),
])  # fmt: skip
def test_a_phase_that_writes_ends_its_batch_and_says_what_is_next(at: Ready, next_step: str) -> None:
    """Exit 130, and not a word of an end that it did not come to; what was written can be gone on from, and put back."""
    place, met = Stand(at.move.box, None, TIMEOUT_S), list[Program]()

    def stop() -> None:
        met[0].signal(SIGTERM)
        until(lambda: "stopping after the batch in hand" in met[0].err)

    place.at_call(CREATE_LEADS, stop)
    met.append(place.start("migrate", at.phase, *at.words))
    assert met[0].ended() == 130, met[0].err
    assert next_step in met[0].out + met[0].err
    assert "From now on" not in met[0].out
    if at.phase == "rehearse":
        assert (at.move.phase("rehearse", "--undo").exit_code, at.arrived()) == (0, [])
    else:
        assert (at.go()[0], at.arrived()) == (0, at.expected())


def test_a_phase_without_a_way_goes_on_with_the_migration_that_was_worked_on_last(tmp_path: Path) -> None:
    """Whoever looks at the way back and then surveys the way there again rehearses the way there."""
    with move(tmp_path) as made:
        made.people(2)
        for way in (WAY, ("--from", "salesforce", "--to", "hubspot"), WAY):
            assert made.phase("survey", *way).exit_code == 0
        told = made.json("rehearse", "--yes")
        assert (told["from"], told["to"], told["created"]) == ("hubspot", "salesforce", 2)
