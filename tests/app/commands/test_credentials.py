"""Every way to sign in, from the configuration to the vendor and back: tokens that rotate are kept, and nothing shows them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import keyring
import pytest
from cli_box import Box, box
from keyring.backend import KeyringBackend

from stagesync.app.tokens import KeyringTokens
from stagesync.sandbox.hubspot import HubSpotWorld
from stagesync.sandbox.salesforce import SalesforceWorld
from stagesync.sandbox.worlds import Worlds

OAUTH = 'client_id = "sandbox-client"\nclient_secret = { env = "ACME_SECRET" }\nrefresh_token = '
CLIENT = 'client_id = "sandbox-consumer-key"\nclient_secret = { file = "secret.txt" }'


class Drawer(KeyringBackend):
    """A keyring in memory."""

    priority: ClassVar[float] = 1  # pyright: ignore[reportIncompatibleVariableOverride]  # as the library's documents show it

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        """What is kept."""
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep it."""
        self.kept[(service, username)] = password


@pytest.fixture
def drawer() -> Iterator[Drawer]:
    """The keyring of this machine, for the length of a test."""
    before, mine = keyring.get_keyring(), Drawer()
    keyring.set_keyring(mine)
    yield mine
    keyring.set_keyring(before)


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Box]:
    """Worlds whose HubSpot replaces the refresh token each time."""
    monkeypatch.setenv("ACME_SECRET", "sandbox-secret")
    worlds = Worlds(HubSpotWorld(), SalesforceWorld())
    worlds.hubspot.switch(refresh_rotates=True)
    with box(tmp_path, worlds=worlds) as made:
        worlds.hubspot.by_hand.create({"email": "ann@acme.example", "lastname": "Lee"})
        yield made


def test_a_refresh_token_that_rotates_is_kept_beside_the_configuration(acme: Box) -> None:
    """The first token comes from its file; each new one is stored and used by the next run; neither output nor state holds one."""
    folder = acme.config.parent
    (folder / "refresh.txt").write_text("sandbox-refresh", "utf-8")
    (folder / "refresh.txt").chmod(0o600)
    acme.replace('token = "pat-sandbox-token"', OAUTH + '{ file = "refresh.txt" }')
    shown = acme.run("sync", "--yes")
    assert shown.exit_code == 0, shown.stderr
    first = acme.worlds.hubspot.tokens.refresh
    assert first != "sandbox-refresh"
    kept = folder / "box.tokens.json"
    assert first in kept.read_text("utf-8")
    again = acme.run("sync")
    assert again.exit_code == 0, again.stderr
    assert acme.worlds.hubspot.tokens.refresh != first
    assert acme.worlds.hubspot.tokens.refresh in kept.read_text("utf-8")
    assert first not in shown.stdout + shown.stderr + again.stdout + again.stderr
    assert all(first.encode() not in path.read_bytes() for path in folder.iterdir() if path != kept)


def test_a_refresh_token_may_live_in_the_keyring(acme: Box, drawer: Drawer) -> None:
    """Then the new ones go there too, and no file is made."""
    drawer.set_password("crm", "hubspot", "sandbox-refresh")
    acme.replace('token = "pat-sandbox-token"', OAUTH + '{ keyring = "crm/hubspot" }')
    assert acme.run("sync", "--yes").exit_code == 0
    assert acme.run("sync").exit_code == 0
    assert acme.worlds.hubspot.tokens.refresh in drawer.kept.values()
    assert not acme.config.with_name("box.tokens.json").exists()


def test_a_keyring_without_the_secret_is_said(acme: Box, drawer: Drawer) -> None:
    """Exit 2 with the command that puts it there."""
    acme.replace('token = "pat-sandbox-token"', 'token = { keyring = "crm/hubspot" }')
    result = acme.run("sync")
    assert result.exit_code == 2
    assert "systems.hubspot.token: the keyring holds no crm/hubspot. Put it there: keyring set crm hubspot" in result.stderr


def test_the_keyring_store_remembers(drawer: Drawer) -> None:
    """What was saved is loaded again."""
    KeyringTokens().save("hubspot.1", "one")
    assert (KeyringTokens().load("hubspot.1"), KeyringTokens().load("hubspot.2")) == ("one", None)


def test_client_credentials_sign_in_to_salesforce(acme: Box) -> None:
    """Key and secret of the connected app are enough; a wrong secret is exit 2 and is not shown."""
    secret = acme.config.with_name("secret.txt")
    secret.write_text("sandbox-consumer-secret\n", "utf-8")
    secret.chmod(0o600)
    acme.replace('access_token = "00D-sandbox-session"', CLIENT)
    result = acme.run("sync", "--yes")
    assert result.exit_code == 0, result.stderr
    secret.write_text("wrong-secret-canary", "utf-8")
    refused = acme.run("sync")
    assert refused.exit_code == 2
    assert "salesforce" in refused.stderr
    assert "canary" not in refused.stdout + refused.stderr
