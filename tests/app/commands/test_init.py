"""`init`: the questions, the file, and what is never done."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_box import cli

from stagesync.app.configuration.loading import load
from stagesync.mapping.fields import GROUPS

CANARY = "pat-na1-canary-7d1f-secret"
CLIENT = ["", "env HUBSPOT_TOKEN", "https://acme.my.salesforce.com", "client credentials", "3MVG9", "env SALESFORCE_CLIENT_SECRET", "Germany"]


def answered(path: Path, *answers: str) -> str:
    """Answer the questions through stdin; the file that they make."""
    result = cli("init", "--config", str(path), input="\n".join(answers) + "\n")
    assert result.exit_code == 0, result.stderr
    assert "stagesync check" in result.stdout
    return path.read_text("utf-8")


def test_the_answers_make_a_configuration_that_loads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Secrets are named, not stored; one winner stands for every group; the file is commented and valid."""
    path = tmp_path / "acme.toml"
    text = answered(path, *CLIENT, "hubspot", "newest", "salesforce", "newest", "hubspot")
    assert text.count("# ") > 5
    monkeypatch.setenv("HUBSPOT_TOKEN", "a")
    monkeypatch.setenv("SALESFORCE_CLIENT_SECRET", "b")
    config = load(path)
    assert config.winners == dict(zip(GROUPS, ("hubspot", "newest", "salesforce", "newest", "hubspot"), strict=True))
    assert {system.region for system in config.systems.values()} == {"DE"}
    assert config.systems["salesforce"].settings.form == "client credentials"


def test_return_takes_what_stands_in_brackets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what nobody can guess must be answered; secrets come from the environment then."""
    path = tmp_path / "acme.toml"
    text = answered(path, "", "", "https://acme.my.salesforce.com", "", "3MVG9", "", "", *[""] * len(GROUPS))
    assert 'token = { env = "HUBSPOT_TOKEN" }' in text
    assert 'client_secret = { env = "SALESFORCE_CLIENT_SECRET" }' in text
    monkeypatch.setenv("HUBSPOT_TOKEN", "a")
    monkeypatch.setenv("SALESFORCE_CLIENT_SECRET", "b")
    assert set(load(path).winners.values()) == {"newest"}


def test_a_file_can_be_one_of_the_systems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It needs a path and nothing else, and can win like any other system."""
    monkeypatch.setenv("HUBSPOT_TOKEN", "a")
    path = tmp_path / "acme.toml"
    answered(path, "csv, hubspot", "old crm.csv", "", "", "csv", *["newest"] * (len(GROUPS) - 1))
    config = load(path)
    assert list(config.systems) == ["csv", "hubspot"]
    assert config.systems["csv"].settings.path == tmp_path / "old crm.csv"
    assert config.winners["name"] == "csv"


@pytest.mark.parametrize(
    ("form", "answers"),
    [("jwt", ["3MVG9", "bot@acme.example", "file key.pem"]), ("refresh token", ["3MVG9", "file refresh.txt"]), ("access token", ["file access.txt"])],
)
def test_every_way_to_sign_in_makes_a_valid_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, answers: list[str]) -> None:
    """Each of Salesforce's credentials is written so that the connector takes it."""
    path = tmp_path / "acme.toml"
    answered(path, "", "file hubspot.txt", "https://acme.my.salesforce.com", form, *answers, "US", *["newest"] * len(GROUPS))
    for name in ("hubspot.txt", "key.pem", "refresh.txt", "access.txt"):
        (tmp_path / name).write_text("secret", "utf-8")
    assert load(path).systems["salesforce"].settings.form.lower() == form


def test_a_group_without_a_winner_is_left_to_be_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`ask` leaves the group out, so that its people are held."""
    monkeypatch.setenv("HUBSPOT_TOKEN", "a")
    monkeypatch.setenv("SALESFORCE_CLIENT_SECRET", "b")
    path = tmp_path / "acme.toml"
    answered(path, *CLIENT, "ask", "newest", "newest", "newest", "newest")
    assert "name" not in load(path).winners


def test_a_secret_typed_in_is_not_taken_nor_shown(tmp_path: Path) -> None:
    """Somebody who types the token itself is asked again, and no output or file has it."""
    path = tmp_path / "acme.toml"
    result = cli("init", "--config", str(path), input="\n".join(["", CANARY, *CLIENT[1:], *["newest"] * len(GROUPS)]) + "\n")
    assert result.exit_code == 0, result.stderr
    assert "please say where it is kept" in result.stderr
    assert CANARY not in path.read_text("utf-8") + result.stderr.replace(f"[env HUBSPOT_TOKEN]: {CANARY}", "")


def test_an_answer_that_makes_no_sense_is_asked_again(tmp_path: Path) -> None:
    """A plain http address, an unknown form and an unknown winner are refused with what is allowed."""
    path = tmp_path / "acme.toml"
    answers = [
        "hubspot",
        "",
        "",
        "http://acme.example",
        "https://acme.my.salesforce.com",
        "password",
        "",
        "3MVG9",
        "",
        "Atlantis",
        "US",
        "mine",
        *["newest"] * len(GROUPS),
    ]
    result = cli("init", "--config", str(path), input="\n".join(answers) + "\n")
    assert result.exit_code == 0, result.stderr
    for said in (
        "please name two or three of: hubspot, salesforce, csv",
        "credentials would travel in clear",
        "please answer one of: client credentials, jwt",
        "please give a country",
        "hubspot, salesforce, newest, ask",
    ):
        assert said in result.stderr


def test_an_existing_file_is_not_overwritten(tmp_path: Path) -> None:
    """Exit 2, and the file keeps its content."""
    path = tmp_path / "acme.toml"
    path.write_text("mine", "utf-8")
    result = cli("init", "--config", str(path), input="")
    assert result.exit_code == 2
    assert "does not overwrite" in result.stderr
    assert path.read_text("utf-8") == "mine"


def test_answers_that_end_too_early_write_nothing(tmp_path: Path) -> None:
    """A closed stdin is exit 2, and no file is there."""
    result = cli("init", "--config", str(tmp_path / "acme.toml"), input="env X\n")
    assert result.exit_code == 2
    assert "nothing was written" in result.stderr
    assert list(tmp_path.iterdir()) == []
