"""Access tokens: given, or made by one of three OAuth flows.

The flows are ours because the official client knows no refresh tokens, and after a renewal of its own it drops the headers of the call that it repeats.
"""

from __future__ import annotations

import re
from hashlib import sha256
from threading import Lock
from urllib.parse import urlsplit

from ...model.errors import ConfigurationError, CredentialError, Unreachable
from ...model.ports import Clock, Secret, TokenStore
from ..manners import Answer, Line, MaybeDone, NotDone, plain, post_form, retry_after
from .errors import beyond
from .settings import SalesforceSettings

JWT_LIFE_S = 180
"""A JWT is used at once; Salesforce takes at most a few minutes."""

_IDENTITY = re.compile(r"/id/(00D\w{12,15})/(005\w{12,15})")


class Session:
    """The access token that is valid now. Renewed once, whoever asks first; all others take what that one brought.

    `org` and `user` are the ids that came with the token, where one was made here.
    """

    def __init__(self, settings: SalesforceSettings, line: Line, tokens: TokenStore) -> None:
        self._settings = settings
        self._line = line
        self._tokens = tokens
        self._lock = Lock()
        self._token = settings.access_token
        self.org: str | None = None
        self.user: str | None = None

    def token(self) -> Secret:
        """The token, made now if there is none yet. Raises `CredentialError`."""
        with self._lock:
            if self._token is None:
                self._token = self._made()
            return self._token

    def renew(self, refused: Secret) -> Secret:
        """Another token than the one that was refused. Raises `CredentialError` where none can be had."""
        with self._lock:
            if self._token is None or self._token == refused:
                if self._settings.form == "access token":
                    raise CredentialError(
                        "the access token is expired or wrong",
                        where=f"{self._line.system}.access_token",
                        next_step="put in a fresh one, or a credential that can renew itself: client_id with refresh_token, private_key or client_secret",
                    )
                self._token = self._made()
            return self._token

    def _made(self) -> Secret:
        settings = self._settings
        match settings.form:
            case "JWT":
                form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion(settings, self._line.clock)}
                return self._ask(form, repeatable=True)
            case "client credentials":
                return self._ask({"grant_type": "client_credentials", **self._client()}, repeatable=True)
            case _:
                return self._refreshed()

    def _client(self) -> dict[str, str]:
        secret = self._settings.client_secret
        return {"client_id": self._settings.client_id or "", **({"client_secret": secret.reveal()} if secret else {})}

    def _refreshed(self) -> Secret:
        """By the newest token that grew out of the configured one."""
        seed = self._settings.refresh_token.reveal() if self._settings.refresh_token else ""
        kept = f"{self._line.system}.{sha256(seed.encode()).hexdigest()[:12]}.refresh_token"
        refresh = self._tokens.load(kept) or seed
        return self._ask({"grant_type": "refresh_token", "refresh_token": refresh, **self._client()}, repeatable=False, kept=kept)

    def _ask(self, form: dict[str, str], *, repeatable: bool, kept: str | None = None) -> Secret:
        """Not repeated for a refresh token: where tokens rotate, one that is used twice is withdrawn."""
        where = f"{self._line.system} ({self._settings.form})"

        def send() -> Answer:
            return post_form(self._settings.token_url, form, where=where, timeout_s=self._settings.timeout_s)

        def judged(answer: Answer) -> None:
            _judge(answer, where, self._line.clock.now_ms())

        answer = self._line.ask(send, judged, repeatable=repeatable, changes=kept is not None)
        found = answer.data if isinstance(answer.data, dict) else {}
        token = found.get("access_token")
        if not isinstance(token, str) or not token:
            raise Unreachable("the answer has no access token", where=where, next_step="check `login_url` and `instance_url`")
        if kept is not None and isinstance(found.get("refresh_token"), str):
            self._tokens.save(kept, found["refresh_token"])
        identity = _IDENTITY.search(str(found.get("id", "")))
        if identity:
            self.org, self.user = identity.groups()
        return Secret(token)


def _judge(answer: Answer, where: str, now_ms: int) -> None:
    """A user who logs in more than 3,600 times in an hour is shut out until it is over (SOAP API Developer Guide, login)."""
    if answer.ok:
        return
    if answer.status == 429:
        raise NotDone("too many requests for tokens", where=where, next_step="run again later", retry_after=retry_after(answer.headers, now_ms))
    if answer.status >= 500 or answer.status == 420:
        raise MaybeDone(f"HTTP {answer.status} where tokens are made", where=where, next_step="run again later")
    if 300 <= answer.status < 400:
        raise ConfigurationError(f"tokens are made at another address{beyond(answer)}", where=where, next_step="set `login_url`, or `instance_url`, to that")
    found = answer.data if isinstance(answer.data, dict) else {}
    if "login rate exceeded" in str(found.get("error_description", "")).lower():
        raise Unreachable("this user has logged in too often in the last hour", where=where, next_step="run again in an hour; who else logs in as this user?")
    said = plain(f"{found.get('error', f'HTTP {answer.status}')}: {found.get('error_description', 'no reason given')}")
    raise CredentialError(f"no access token is given ({said})", where=where, next_step=_remedy(said))


def _remedy(said: str) -> str:
    if "audience" in said:
        return "set `login_url` to https://test.salesforce.com for a sandbox, to https://login.salesforce.com otherwise"
    if "assertion is expired" in said:
        return "set the clock of this machine: it is minutes behind"
    if "user hasn't approved" in said:
        return "let an administrator pre-authorise the app for this user"
    return "check the client id and secret, the user or the refresh token, and that the app allows this flow"


def assertion(settings: SalesforceSettings, clock: Clock) -> str:
    """The signed JWT (RS256) that is exchanged for a token. Raises `CredentialError` for a key that is none.

    The audience is Salesforce's login host even where tokens are made at My Domain (Salesforce Help, OAuth 2.0 JWT Bearer Flow).
    """
    import jwt

    claims = {"iss": settings.client_id, "sub": settings.username, "aud": audience(settings), "exp": clock.now_ms() // 1000 + JWT_LIFE_S}
    try:
        return jwt.encode(claims, settings.private_key.reveal() if settings.private_key else "", algorithm="RS256")
    except (ValueError, TypeError, jwt.PyJWTError):
        remedy = "give the whole PEM text of an RSA key, without a passphrase"
        raise CredentialError("the private key cannot be read", where="private_key", next_step=remedy) from None


def audience(settings: SalesforceSettings) -> str:
    """`test` for a sandbox, `login` for everything else."""
    hosts = [urlsplit(url).hostname or "" for url in (settings.login_url or "", settings.instance_url)]
    sandbox = any(host == "test.salesforce.com" or ".sandbox." in host for host in hosts)
    return f"https://{'test' if sandbox else 'login'}.salesforce.com"
