"""How we prove who we are: a static token, or OAuth with a refresh token that may rotate."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Protocol

from ...model.errors import ConfigurationError, CredentialError
from ...model.ports import Secret, TokenStore
from ..manners import Answer, Line, post_form
from .errors import body, judge, unexpected
from .paths import TOKENS
from .settings import HubSpotSettings

_EARLY_S = 60.0
"""An access token is renewed this long before it ends: a refused call is no way to find out (HubSpot docs, usage guidelines)."""


class Credential(Protocol):
    """What puts a bearer token on a call."""

    def bearer(self) -> str:
        """A token that is good now."""
        ...

    def renew(self) -> bool:
        """The last token was refused: forget it. False where there is no way to get another."""
        ...

    def rotates(self) -> bool | None:
        """Renew now: whether the refresh token changed with it. None where there is none."""
        ...

    @property
    def portal(self) -> str | None:
        """The portal that the token was made for, where that was told with it."""
        ...


@dataclass(frozen=True, slots=True)
class StaticToken:
    """A private app's token or a Service Key."""

    token: Secret

    def bearer(self) -> str:
        """The token itself."""
        return self.token.reveal()

    def renew(self) -> bool:
        """A static token cannot be renewed."""
        return False

    def rotates(self) -> bool | None:
        """A static token knows no refresh token."""
        return None

    @property
    def portal(self) -> str | None:
        """A static token says nothing of its portal."""
        return None


class RefreshedToken:
    """OAuth: an access token of half an hour, renewed by `expires_in`. HubSpot may hand out a new refresh token each time: it is stored before it is used."""

    def __init__(self, settings: HubSpotSettings, base_url: str, line: Line, tokens: TokenStore) -> None:
        if settings.client_id is None or settings.client_secret is None or settings.refresh_token is None:
            raise ConfigurationError("OAuth needs client_id, client_secret and refresh_token", where=line.system)
        self._client_id, self._client_secret, self._seed = settings.client_id, settings.client_secret, settings.refresh_token
        self._timeout_s = settings.timeout_s
        self._base_url = base_url
        self._line, self._tokens, self._clock = line, tokens, line.clock
        self._name = f"{line.system}.{fingerprint(self._seed.reveal())}.refresh_token"
        self._turn = threading.Lock()
        self._access = ""
        self._good_until = 0.0
        self._portal: str | None = None

    @property
    def portal(self) -> str | None:
        """The `hub_id` that came with the last access token (HubSpot docs, Manage OAuth tokens)."""
        return self._portal

    def bearer(self) -> str:
        """The access token, renewed where it is about to end."""
        with self._turn:  # calls that are under way at once must not use up one refresh token twice
            if not self._access or self._clock.monotonic() >= self._good_until:
                self._refresh()
            return self._access

    def renew(self) -> bool:
        """Forget the access token; the next call gets another."""
        self._access = ""
        return True

    def rotates(self) -> bool | None:
        """The old refresh token is not tried again: what came is kept as ever."""
        before = self._refresh_token()
        self._refresh()
        return self._refresh_token() != before

    def _refresh_token(self) -> str:
        return self._tokens.load(self._name) or self._seed.reveal()

    def _refresh(self) -> None:
        refresh = self._refresh_token()
        answer = self._asked(refresh)
        given = body(answer)
        access = given.get("access_token")
        if not answer.ok or not access:
            reason = given.get("status") or given.get("error") or f"status {answer.status}"
            raise CredentialError(
                f"HubSpot did not renew the access token: {reason}", where=self._line.system, next_step="connect the app again and store the new refresh_token"
            )
        if given.get("refresh_token") and given["refresh_token"] != refresh:
            self._tokens.save(self._name, str(given["refresh_token"]))
        self._access = str(access)
        self._portal = str(given["hub_id"]) if given.get("hub_id") else None
        self._good_until = self._clock.monotonic() + max(1.0, float(given.get("expires_in") or 1800) - _EARLY_S)

    def _asked(self, refresh: str) -> Answer:
        """The answer of the first version that is served. Raises `ConfigurationError` where none is."""
        served = (self._line.ask(partial(self._post, self._base_url + path, refresh), self._judge, repeatable=True, changes=True) for path in TOKENS)
        answer = next(served)
        while answer.status == 404:
            if (another := next(served, None)) is None:
                raise unexpected(answer, where=self._line.system)
            answer = another
        return answer

    def _judge(self, answer: Answer) -> None:
        if answer.status not in (401, 403, 404):
            judge(answer, where=self._line.system, now_ms=self._clock.now_ms())

    def _post(self, url: str, refresh: str) -> Answer:
        form = {"grant_type": "refresh_token", "client_id": self._client_id, "client_secret": self._client_secret.reveal(), "refresh_token": refresh}
        return post_form(url, form, where=self._line.system, timeout_s=self._timeout_s)


def credential(settings: HubSpotSettings, base_url: str, line: Line, tokens: TokenStore) -> Credential:
    """The credential that the configuration names."""
    return StaticToken(settings.token) if settings.token is not None else RefreshedToken(settings, base_url, line, tokens)


def fingerprint(text: str) -> str:
    """A short mark of a secret that does not tell it."""
    return sha256(text.encode()).hexdigest()[:12]
