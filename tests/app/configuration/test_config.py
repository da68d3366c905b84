"""The configuration file: what it means, and every mistake with its place and remedy."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

import pytest
from house import ROOT
from hypothesis import example, given
from hypothesis import strategies as st

from stagesync.app.configuration.config import Config
from stagesync.app.configuration.loading import GUARDS, SECTIONS, load
from stagesync.app.configuration.secrets import split_keyring
from stagesync.app.configuration.system_config import MAPPING_KEYS, OUR_KEYS
from stagesync.app.metadata import from_json, to_json
from stagesync.app.tokens import FileTokens, token_store
from stagesync.connectors.contract import AccountId, FieldDescription, KindDescription, Option, SystemDescription
from stagesync.connectors.hubspot.settings import HubSpotSettings
from stagesync.connectors.salesforce.settings import SalesforceSettings
from stagesync.connectors.webhook.settings import EventTable, WebhookSettings
from stagesync.mapping.fields import GROUPS
from stagesync.model.errors import ConfigurationError, StateError

EXAMPLE = ROOT / "config.example.toml"
CANARY = "pat-na1-canary-7d1f"
SMALLEST = """
[systems.hubspot]
connector = "hubspot"
base_url = "http://127.0.0.1:1"
token = "t"
[systems.salesforce]
connector = "salesforce"
instance_url = "http://localhost:2"
access_token = "s"
"""


def written(folder: Path, text: str) -> Path:
    """The configuration file."""
    path = folder / "acme.toml"
    path.write_text(text, "utf-8")
    return path


def loaded(folder: Path, text: str) -> Config:
    """What the text means."""
    return load(written(folder, text))


def problems(folder: Path, text: str) -> tuple[str, ...]:
    """All mistakes of the text."""
    with pytest.raises(ConfigurationError) as raised:
        loaded(folder, text)
    return raised.value.problems


def test_two_tables_are_a_configuration(tmp_path: Path) -> None:
    """Two systems alone work: the workspace is named after the file, the state lies beside it, ties go by the file's order."""
    config = loaded(tmp_path, SMALLEST)
    assert config.workspace == "acme"
    assert config.state_url == f"sqlite:///{tmp_path}/stagesync.db"
    assert config.order == {"hubspot": 0, "salesforce": 1}
    assert config.winners == {}
    assert (config.stage_conflict, config.deletes, config.guard) == ("furthest", "hold", {})


def test_the_example_loads(monkeypatch: pytest.MonkeyPatch) -> None:
    """The example file is a valid configuration once its two environment variables are set."""
    monkeypatch.setenv("HUBSPOT_TOKEN", "a")
    monkeypatch.setenv("SALESFORCE_CLIENT_SECRET", "b")
    config = load(EXAMPLE)
    assert set(config.systems) == {"hubspot", "salesforce"}
    assert config.winners["company"] == "salesforce"


def test_the_example_shows_every_key() -> None:
    """Every section, every key of ours and of all connectors, every guard and every group stands in the example file."""
    text = EXAMPLE.read_text("utf-8")
    for section in SECTIONS:
        assert re.search(rf"^\[+{section}[\].]", text, re.MULTILINE), section
    shown = {match.strip('"') for match in re.findall(r'^#?("[^"]+"|\w+) = ', text, re.MULTILINE)}
    hubspot, salesforce = text.partition("[systems.salesforce]")[::2]
    webhook = text.partition("[systems.product]")[2]
    for part, model in ((hubspot, HubSpotSettings), (salesforce, SalesforceSettings), (webhook, WebhookSettings), (webhook, EventTable)):
        for key in model.model_fields:
            assert re.search(rf"^#?({key} = |\[\[systems\.product\.{key}\]\])", part, re.MULTILINE), key
    assert set(OUR_KEYS) <= shown
    assert all(re.search(rf"^#?\[+systems\.\w+\.{key}[\].]", text, re.MULTILINE) for key in MAPPING_KEYS)
    assert {*GUARDS, *GROUPS, "default", "tie", "policy", "conflict", "url", "password", "name"} <= shown


def test_the_example_of_a_webhook_loads_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands there as a comment is a configuration."""
    for name in ("PRODUCT_SECRET", "PRODUCT_SIGNING_SECRET"):
        monkeypatch.setenv(name, "whsec_c3RhZ2VzeW5jIGlzIGEgc2VjcmV0")
    lines = EXAMPLE.read_text("utf-8").partition("# A system that posts events to us")[2].partition("# ------")[0].splitlines()
    config = loaded(tmp_path, SMALLEST + "\n".join(line.removeprefix("#") for line in lines[1:] if not line.startswith(("#header", "#signature", "# "))))
    assert [event.kind for event in config.systems["product"].settings.events] == ["person", "stage", "signal"]


def test_the_examples_values_are_the_defaults() -> None:
    """What the example shows as a connector's value is the default that holds without it, but for addresses and credentials."""
    table = tomllib.loads(EXAMPLE.read_text("utf-8"))["systems"]
    for name, model in (("hubspot", HubSpotSettings), ("salesforce", SalesforceSettings)):
        for key, field in model.model_fields.items():
            if key in table[name] and not key.endswith(("_url", "_id")) and not isinstance(table[name][key], dict):
                assert table[name][key] == field.default, key


MISTAKES = [
    ("[systms.hubspot]\n" + SMALLEST, "systms: there is no such key. Did you mean systems"),
    (SMALLEST + "tokn = 1", "systems.salesforce.tokn: there is no such key"),
    (SMALLEST + "[serve]\nport = 70000", "serve.port: 70000 is not a number from 0 to 65535"),
    (SMALLEST + '[serve]\npublic_url = "ftp://hooks"', "serve.public_url: is no address of a web server"),
    (SMALLEST + '[notify]\nurls = "slack://a"', "notify.urls: must be a list of addresses"),
    (SMALLEST + '[notify]\nurls = ["slack://a"]', "notify.urls[0]: stands in the configuration in clear"),
    (SMALLEST + '[notify]\nurls = [{ env = "NOBODY_SET_THIS" }]', "notify.urls[0]: the environment variable NOBODY_SET_THIS is not set"),
    (SMALLEST + '[notify]\nurls = [{ env = "PATH" }]\non = ["everything"]', "notify.on: must be a list of names that are known here"),
    (SMALLEST + 'direction = "up"', "systems.salesforce.direction: 'up' is not allowed here. Allowed: both, read, write"),
    (SMALLEST + 'creates = "yes"', "systems.salesforce.creates: 'yes' is neither true nor false"),
    (SMALLEST + 'region = "Atlantis"', "systems.salesforce.region: 'Atlantis' is not a country"),
    (SMALLEST + 'api_version = "sixty"', "systems.salesforce.api_version: string should match pattern"),
    (SMALLEST + "include = 1", "systems.salesforce.include: must be a table"),
    (SMALLEST.replace('token = "t"', ""), "systems.hubspot: give token, or all of client_id, client_secret and refresh_token"),
    (SMALLEST.replace("instance_url", "instanceurl"), "systems.salesforce.instance_url: field required"),
    (SMALLEST.replace('connector = "hubspot"', 'connector = "hubspott"'), 'systems.hubspot.connector: there is no connector "hubspott"'),
    (SMALLEST.replace('connector = "hubspot"', ""), "systems.hubspot.connector: is missing"),
    (SMALLEST.replace("systems.hubspot", "systems.newest"), "systems.newest: is no name for a system"),
    (SMALLEST.replace("http://127.0.0.1:1", "https://api.hubapi.com"), "systems.hubspot.token: stands in the configuration in clear"),
    (SMALLEST.replace('token = "t"', 'token = { env = "STAGESYNC_NOT_SET" }'), "systems.hubspot.token: the environment variable STAGESYNC_NOT_SET is not set"),
    (SMALLEST.replace('token = "t"', 'token = { file = "none.txt" }'), "none.txt cannot be read: no such file"),
    (SMALLEST.replace('token = "t"', 'token = { vault = "x" }'), "systems.hubspot.token: does not say where the secret is"),
    (SMALLEST.replace('token = "t"', "token = 7"), "systems.hubspot.token: does not say where the secret is"),
    (
        SMALLEST.replace('access_token = "s"', 'client_id = "c"\nrefresh_token = { env = "HOME" }'),
        "systems.salesforce.refresh_token: is a token that may be replaced by the vendor",
    ),
    ("", "systems: no system is configured"),
    (SMALLEST + '[workspace]\nname = "a/b"', "workspace.name: is no name for a workspace"),
    (SMALLEST + "[workspace]\nnmae = 1", "workspace.nmae: there is no such key. Did you mean name"),
    (SMALLEST + '[state]\nurl = "sqlite"', "state.url: cannot be understood"),
    (SMALLEST + '[stage]\nconflict = "first"', "stage.conflict: 'first' is not allowed here. Allowed: furthest, latest"),
    (SMALLEST + '[first_meeting]\ncompany = "pipedrive"', "first_meeting.company: 'pipedrive' is not allowed here"),
    (SMALLEST + '[first_meeting]\nphones = "newest"', "first_meeting.phones: there is no such key"),
    (SMALLEST + '[conflict]\ntie = ["hubspot", "sugar"]', "conflict.tie: must be a list of names that are known here"),
    (SMALLEST + '[delete]\npolicy = "destroy"', "delete.policy: 'destroy' is not allowed here"),
    (SMALLEST + "[guard]\nupdates = { share = 3 }", "guard.updates.share: 3 is not a number from 0 to 1"),
    (SMALLEST + "[guard]\nupdate = 3", "guard.update: there is no such key. Did you mean updates"),
]


@pytest.mark.parametrize(("text", "said"), MISTAKES, ids=[said.partition(" ")[0] + str(number) for number, (_, said) in enumerate(MISTAKES)])
def test_each_mistake_names_its_place_and_a_remedy(tmp_path: Path, text: str, said: str) -> None:
    """One mistake gives one line: the TOML path, what is wrong, and what to do."""
    found = problems(tmp_path, text)
    assert any(said in problem for problem in found), found
    assert all(": " in problem and ". " in problem for problem in found)


def test_all_mistakes_come_at_once(tmp_path: Path) -> None:
    """Mistakes in different sections, in the connector's keys and in the mapping are told together."""
    text = SMALLEST + 'tokn = 1\n[fields.phone]\npolicy = "whatever"\n[delete]\npolicy = "no"\n[guard]\nclears = 1\n'
    found = problems(tmp_path, text.replace("tokn = 1\n", ""))
    assert {problem.partition(":")[0] for problem in found} >= {"fields.phone.policy", "delete.policy", "guard.clears"}
    assert len(problems(tmp_path, text)) >= 3


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"[a\n", "line 1"), (b"\xff\xfe\x00", "not text in UTF-8"), (b"a = 1\na = 2\n", "line 2"), (None, "there is no configuration file")],
)
def test_a_file_that_is_no_toml_is_said_to_be_none(tmp_path: Path, content: bytes | None, said: str) -> None:
    """A missing, broken or binary file gives its name and, where there is one, the line."""
    path = tmp_path / "x.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=said) as raised:
        load(path)
    assert raised.value.where == str(path)


@given(st.binary(max_size=300))
def test_no_file_breaks_the_reader(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """Whatever the bytes are, the answer is a configuration error and never another exception."""
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError):
        load(path)


JUNK = st.recursive(
    st.sampled_from(["x", CANARY, 1, -1, True, 0.5, []]), lambda inner: st.dictionaries(st.sampled_from(["env", "file", "name", "url"]), inner, max_size=2)
)


@given(
    section=st.sampled_from(SECTIONS), key=st.sampled_from([*OUR_KEYS, *MAPPING_KEYS, "hubspot", "url", "tie", "policy", "updates", "name", "token"]), junk=JUNK
)
@example(section="systems", key="token", junk=CANARY)
@example(section="notify", key="url", junk=CANARY)
def test_no_value_breaks_the_reader(tmp_path_factory: pytest.TempPathFactory, section: str, key: str, junk: object) -> None:
    """A value of any shape at any known place is taken or refused with a message, which does not show what stands where a secret belongs."""
    path = tmp_path_factory.getbasetemp() / "junk.toml"
    path.write_text(f"{SMALLEST}\n[{section}]\n{key} = {_toml(junk)}\n" if section != "systems" else f"{SMALLEST}\n{key} = {_toml(junk)}\n", "utf-8")
    try:
        load(path)
    except ConfigurationError as error:
        assert str(error)
        assert CANARY not in str(error) or (section, key) not in (("systems", "token"), ("systems", "url"), ("notify", "url"))


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(each)}" for key, each in value.items()) + " }"
    return str(value).lower() if isinstance(value, bool) else repr(value)


def test_a_secret_comes_from_a_file_beside_the_configuration(tmp_path: Path) -> None:
    """A file's content is the secret without its newline; a file that others may read is used and said."""
    (tmp_path / "token.txt").write_text("from-file\n", "utf-8")
    (tmp_path / "token.txt").chmod(0o600)
    text = SMALLEST.replace('token = "t"', 'token = { file = "token.txt" }')
    config = loaded(tmp_path, text)
    assert config.systems["hubspot"].settings.token.reveal() == "from-file"
    assert config.notes == ()
    (tmp_path / "token.txt").chmod(0o644)
    assert "chmod 600" in loaded(tmp_path, text).notes[0]


def test_a_secret_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment variable is read; an empty one is a mistake."""
    text = SMALLEST.replace('token = "t"', 'token = { env = "STAGESYNC_TEST_TOKEN" }')
    monkeypatch.setenv("STAGESYNC_TEST_TOKEN", "from-env")
    assert loaded(tmp_path, text).systems["hubspot"].settings.token.reveal() == "from-env"
    monkeypatch.setenv("STAGESYNC_TEST_TOKEN", "")
    assert "is empty" in problems(tmp_path, text)[0]


def test_a_keyrings_name_is_service_and_user() -> None:
    """`service/name` names both; without a slash the service is ours."""
    assert split_keyring("crm/bot/hubspot") == ("crm/bot", "hubspot")
    assert split_keyring("hubspot") == ("stagesync", "hubspot")


def test_the_fingerprint_follows_the_secret_and_tells_nothing(tmp_path: Path) -> None:
    """Another token or address changes the fingerprint, and neither it nor the configuration's own text shows the token."""
    one = loaded(tmp_path, SMALLEST.replace('"t"', f'"{CANARY}"')).systems["hubspot"]
    same = loaded(tmp_path, SMALLEST.replace('"t"', f'"{CANARY}"')).systems["hubspot"]
    other = loaded(tmp_path, SMALLEST).systems["hubspot"]
    assert one.fingerprint == same.fingerprint != other.fingerprint
    assert CANARY not in one.fingerprint
    assert CANARY not in repr(one)


def test_the_states_password_is_a_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL's password comes from outside the url, and the configuration does not show it."""
    monkeypatch.setenv("STAGESYNC_TEST_DB", CANARY)
    config = loaded(tmp_path, SMALLEST + '[state]\nurl = "postgresql://ann@db.example/sync"\npassword = { env = "STAGESYNC_TEST_DB" }\n')
    assert CANARY in config.state_url
    assert CANARY not in repr(config)


def test_rotated_tokens_are_kept_in_a_private_file(tmp_path: Path) -> None:
    """What was saved is loaded again by another process; the file is readable by its owner alone, and nothing else is left beside it."""
    config = loaded(tmp_path, SMALLEST)
    store = token_store(config.path, config.systems["hubspot"])
    store.save("hubspot.1.refresh_token", "one")
    store.save("salesforce.2.refresh_token", "two")
    again = token_store(config.path, config.systems["hubspot"])
    assert (again.load("hubspot.1.refresh_token"), again.load("salesforce.2.refresh_token"), again.load("none")) == ("one", "two", None)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["acme.tokens.json", "acme.toml"]
    if os.name == "posix":
        assert (tmp_path / "acme.tokens.json").stat().st_mode & 0o777 == 0o600


def test_a_token_that_cannot_be_stored_stops_the_run(tmp_path: Path) -> None:
    """Where the file cannot be written the old one stays, and the error is one of the state."""
    with pytest.raises(StateError, match="cannot be written"):
        FileTokens(tmp_path / "missing" / "tokens.json").save("a", "b")


@given(
    st.builds(FieldDescription, st.text(), st.text(), st.just("choice"), st.booleans(), st.booleans(), length=st.none() | st.integers(0, 10**6),
              options=st.lists(st.builds(Option, st.text(), st.text(), st.integers(0, 99), st.booleans(), st.booleans()), max_size=3).map(tuple)),
    st.text(),
    st.dictionaries(st.text(), st.text(), max_size=2),
)  # fmt: skip
def test_what_an_account_looks_like_survives_the_state(field: FieldDescription, finding: str, users: dict[str, str]) -> None:
    """Metadata read back from its row is what was put there."""
    import orjson

    identity = AccountId("hubspot", "17", "Acme", "Europe/Berlin", "app")
    description = SystemDescription({"contact": KindDescription("contact", {"x": field}, False)}, (finding,), users)
    assert from_json(orjson.loads(orjson.dumps(to_json("f", identity, description)))) == (identity, description)
