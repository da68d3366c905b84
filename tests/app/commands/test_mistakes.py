"""Bad input of every kind: one clear message with the place and the next step, the right exit code, nothing half-written, no secret."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_box import Box, QuickClock, box, cli
from typer import Exit

from stagesync.app import wiring
from stagesync.app.configuration.loading import load
from stagesync.app.terminal import shell
from stagesync.app.terminal.shell import guarded
from stagesync.sandbox.faults import Fault

CANARY = "pat-na1-canary-7d1f-secret"
HTML = "<html><body>Sign in to the guest network</body></html>"


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Box]:
    """Both worlds, all but empty."""
    with box(tmp_path, people=0) as made:
        made.worlds.hubspot.by_hand.create({"email": "ann@acme.example", "lastname": "Lee"})
        yield made


def exits(command: object) -> int:
    """The exit code of a guarded command."""
    with pytest.raises(Exit) as left:
        guarded(command)()  # pyright: ignore[reportArgumentType]  # any function without parameters
    return left.value.exit_code


def test_a_missing_configuration_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a file every command that needs one gives exit 2 and points to init."""
    monkeypatch.chdir(tmp_path)
    for command in ("sync", "plan", "check", "status", "runs", "holds", "verify"):
        result = cli(command)
        assert result.exit_code == 2, command
        assert "there is no configuration file (stagesync.toml)" in result.stderr
        assert "stagesync init" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_environment_may_name_the_configuration(small: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """STAGESYNC_CONFIG stands in for --config."""
    monkeypatch.setenv("STAGESYNC_CONFIG", str(small.config))
    assert cli("status").exit_code == 0


@pytest.mark.parametrize("command", ["sync", "plan", "check", "verify"])
@pytest.mark.parametrize("system", ["hubspot", "salesforce"])
def test_a_wrong_token_is_said_and_never_shown(small: Box, command: str, system: str) -> None:
    """A refused credential is exit 2, names the system, and no stream shows the token."""
    small.replace("pat-sandbox-token" if system == "hubspot" else "00D-sandbox-session", CANARY)
    result = small.run(command)
    assert result.exit_code == 2
    assert system in result.stdout + result.stderr
    assert CANARY not in result.stdout + result.stderr


def test_a_missing_scope_is_said(small: Box) -> None:
    """A token without the right to read contacts is exit 2, naming the scope."""
    small.worlds.hubspot.switch(scopes=("crm.schemas.contacts.read",))
    for command in ("check", "sync"):
        result = small.run(command, *(["--yes"] if command == "sync" else []))
        assert result.exit_code == 2, command
        assert "crm.objects.contacts.read" in result.stdout + result.stderr


def test_a_scope_that_only_a_large_account_wants_is_good_to_know(small: Box) -> None:
    """It is told by `check` with what follows from it, and no mistake; with it, nothing is told."""
    told = small.run("check")
    assert (told.exit_code, "crm." in told.stdout) == (0, False)
    small.worlds.hubspot.switch(scopes=[scope for scope in small.worlds.hubspot.habits.scopes if scope not in ("crm.export", "crm.import")])
    told = small.run("check")
    assert told.exit_code == 0
    for scope, what in (("crm.export", "to read"), ("crm.import", "to make")):
        assert f"hubspot: the scope {scope} is not given, which is wanted only {what}" in " ".join(told.stdout.split())


def test_an_unknown_field_is_said_with_what_was_meant(small: Box) -> None:
    """A native name that the account does not have gives its TOML path and the nearest names, exit 2, before anything is written."""
    small.add('\n[fields.phone]\nhubspot = "fone"\n')
    result = small.run("sync", "--yes")
    assert result.exit_code == 2
    assert "fields.phone.hubspot: hubspot has no field 'fone'. Did you mean" in result.stderr
    assert small.written() == []


def test_a_duplicate_mapping_is_said(small: Box) -> None:
    """Two fields on one native field: exit 2 with the path of the second."""
    small.add(
        '\n[fields.nickname]\ntype = "text"\nhubspot = "jobtitle"\nsalesforce = { lead = "Title" }\n[fields.badge]\ntype = "text"\nhubspot = "jobtitle"\n'
    )
    result = small.run("check")
    assert result.exit_code == 2
    assert "jobtitle is already mapped to" in result.stdout


def test_check_tells_everything_at_once(small: Box) -> None:
    """Trouble with one system does not hide trouble with the other."""
    small.replace("pat-sandbox-token", CANARY)
    small.replace("00D-sandbox-session", CANARY)
    told = small.json("check")
    assert not told["ok"]
    assert len(told["problems"]) == 2
    assert CANARY not in str(told)


def test_check_finds_what_only_a_look_at_the_accounts_shows(small: Box) -> None:
    """A stage value that nobody mapped, an order unlike the funnel's, a picklist value that the other lacks, groups without a winner: notes, exit 0."""
    stages = [{"label": label, "value": label.lower()} for label in ("Subscriber", "Customer", "Lead")]
    ambassador = {"label": "Ambassador", "value": "998877"}
    small.worlds.hubspot.by_hand.define("lifecyclestage", "Lifecycle Stage", "enumeration", "radio", options=[*stages, ambassador])
    small.worlds.hubspot.by_hand.define("tier", "Tier", "enumeration", "select", options=[{"label": name, "value": name} for name in ("Gold", "Tin")])
    for kind in ("Lead", "Contact"):
        small.worlds.salesforce.define(kind, "Tier__c", "Tier", "picklist", options=("Gold", "Silver"), restricted=True)
    small.add('\n[fields.tier]\ntype = "choice"\nhubspot = "tier"\nsalesforce = "Tier__c"\n')
    small.replace('"company" = "newest"\n', "")
    result = small.run("check")
    assert result.exit_code == 0, result.stdout
    assert "998877" in result.stdout
    assert "orders 'Customer' before 'Lead', the funnel 'hubspot' the other way around" in result.stdout
    assert "nobody wins company" in result.stdout
    assert "salesforce lead: Tier__c has no value for these of hubspot (tier), such people are held: Tin" in result.stdout
    assert "hubspot contact: tier has no value for these of salesforce (tier), such people are held: Silver" in result.stdout
    assert small.written() == []


def test_check_says_when_the_quota_is_spent(small: Box) -> None:
    """An org whose daily calls are used up beyond our share: exit 4, with the numbers."""
    small.worlds.salesforce.hands["hands/api-usage"]({"used": 90_000})
    result = small.run("check")
    assert result.exit_code == 4
    assert "of 100000 API calls of today are used" in result.stdout
    assert "daily_share" in result.stdout


def test_an_unreachable_host_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody listens there: exit 4 after some patience, naming the system and what to look at."""
    with box(tmp_path, people=0) as gone:
        config = load(gone.config)
    with wiring.opened(config, QuickClock()) as place:

        def command() -> None:
            with wiring.connected(place):
                raise AssertionError("nobody answers")

        assert exits(command) == 4
    said = capsys.readouterr().err
    assert "no connection" in said
    assert "check the address and the network" in said


def test_html_in_place_of_json_is_said(small: Box, capsys: pytest.CaptureFixture[str]) -> None:
    """A gateway's page with status 200 is no answer of the vendor: exit 4, and nothing is taken from it."""
    small.worlds.hubspot.faults.add(Fault("status", match="GET /account-info", status=200, content_type="text/html", body=HTML, times=99))
    with wiring.opened(load(small.config), QuickClock()) as place:

        def command() -> None:
            with wiring.connected(place):
                raise AssertionError("that was no answer")

        assert exits(command) == 4
    said = capsys.readouterr().err
    assert "an HTML page came in place of JSON" in said
    assert "guest network" not in said


def test_a_state_of_a_newer_program_is_said(small: Box) -> None:
    """A newer schema is exit 2, and the file stays as it was."""
    small.run("status")
    state = small.config.with_name("stagesync.db")
    with sqlite3.connect(state) as database:
        table = next(name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'") if "version" in name)
        column = database.execute(f"SELECT name FROM pragma_table_info('{table}')").fetchone()[0]
        database.execute(f"UPDATE {table} SET {column} = '9999'")
    database.close()
    result = small.run("sync", "--yes")
    assert result.exit_code == 2
    assert "written by a newer stagesync" in result.stderr
    assert str(state) in result.stderr
    assert small.calls() == {}


def test_a_locked_database_is_said(small: Box) -> None:
    """Another program that holds the file: exit 5 with what to close."""
    small.run("status")
    small.add('\n[state]\nurl = "sqlite:///stagesync.db?timeout=0.05"\n')
    other = sqlite3.connect(small.config.with_name("stagesync.db"), isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        result = small.run("sync", "--yes")
    finally:
        other.close()
    assert result.exit_code == 5
    assert "the database is locked by another program" in result.stderr


@pytest.mark.parametrize(("url", "code", "said"), [
    ("sqlite:///none/here.db", 5, "the folder of the state does not exist"),
    ("sqlite:///box.toml", 5, "is not an SQLite database"),
    ("mysql://db.example/x", 2, "SQLite file or in PostgreSQL only"),
])  # fmt: skip
def test_a_state_that_cannot_be_used_is_said(small: Box, url: str, code: int, said: str) -> None:
    """A folder that is not there, a file that is no database, a database of another kind."""
    small.add(f'\n[state]\nurl = "{url}"\n')
    result = small.run("sync", "--yes")
    assert result.exit_code == code, result.stderr
    assert said in result.stderr


@pytest.mark.skipif(os.name != "posix", reason="limits of a process are set in another way there")
def test_a_full_disk_is_said_and_loses_nothing(small: Box) -> None:
    """The state may not grow: exit 5, nothing was sent that is not on record, and with room again the run goes through."""
    for number in range(400):
        small.worlds.hubspot.by_hand.create({"email": f"p{number}@acme.example", "lastname": "Lee", "address": "x" * 200})
    small.run("status")
    size = small.config.with_name("stagesync.db").stat().st_size + 60_000
    program = f"import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}));"
    program += "from stagesync.app.main import run; run()"
    ended = subprocess.run(
        [sys.executable, "-c", program, "sync", "--yes", "--config", str(small.config)], capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 5, ended.stderr
    assert "stagesync.db" in ended.stderr
    assert "Traceback" not in ended.stderr
    again = small.json("sync", "--yes")
    assert len(list(small.worlds.salesforce.rows("Lead"))) == 401
    assert again["rejected"] == 0


def test_people_and_fields_that_nobody_knows_are_said(small: Box) -> None:
    """`why` and `resolve` answer an unknown name with what could be meant: exit 2."""
    small.run("sync", "--yes")
    for words, said in (
        (("why", "nobody@acme.example"), "nobody is known as"),
        (("why", "ann@acme.example", "fone"), "no field is called 'fone'"),
        (("resolve", "ffffff", "--use", "newest"), "there is no open group ffffff"),
    ):
        result = small.run(*words)
        assert result.exit_code == 2, words
        assert said in result.stderr


def test_a_bug_is_told_without_anybodys_data(capsys: pytest.CaptureFixture[str]) -> None:
    """An unforeseen error is exit 70 with its type and place; its message, which may hold data, and the traceback are for --debug."""

    def command() -> None:
        raise ValueError(CANARY)

    assert exits(command) == shell.BUG
    said = capsys.readouterr().err
    assert "this is a bug in stagesync: ValueError at test_mistakes.py:" in said
    assert CANARY not in said
    assert "Traceback" not in said


def test_a_folder_that_may_not_be_looked_into_is_no_bug(capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever file somebody named in it: exit 2 with its path and what to do."""

    def command() -> None:
        raise PermissionError(errno.EACCES, "Permission denied", "/srv/theirs/box.toml")

    assert exits(command) == 2
    assert (
        capsys.readouterr().err
        == "stagesync: this user may not look there: Permission denied (/srv/theirs/box.toml)\n  -> get the right to, or name another file\n"
    )


def test_ctrl_c_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    """An interrupted command says so in one line: exit 130."""

    def command() -> None:
        raise KeyboardInterrupt

    assert exits(command) == 130
    assert "the next run goes on from here" in capsys.readouterr().err


def test_usage_errors_are_exit_2() -> None:
    """An option that is not known, and a missing argument, are told by the command line itself."""
    assert cli("sync", "--wat").exit_code == 2
    assert cli("why").exit_code == 2
    assert cli("nonsense").exit_code == 2
