"""What may be configured for a Salesforce org, checked before anything is called."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ...model.errors import ConfigurationError
from ...model.ports import Secret
from ..manners import checked_url

SHORTEST_TOKEN = 24
Form = Literal["access token", "refresh token", "JWT", "client credentials"]


class SalesforceSettings(BaseModel):
    """The keys of `[systems.NAME]` with `connector = "salesforce"`.

    `instance_url` is the org's own address (My Domain). One of four credentials:

    - `access_token`: as it is; it cannot be renewed here.
    - `client_id`, `refresh_token` (and `client_secret` if the app has one): tokens by the refresh token flow.
    - `client_id`, `username`, `private_key` (PEM): tokens by the JWT bearer flow.
    - `client_id`, `client_secret`: tokens by the client credentials flow, as the execution user of the app.

    `login_url`: where tokens are made, if not at `instance_url`. `external_id_field`: a unique External ID text field (50 characters) on Lead and
    Contact that stagesync may fill; creates then cannot double a record. `auto_assign`: let the org's lead assignment rules run on our writes.
    `save_duplicates`: save in spite of duplicate rules that only alert. `overlap_s`: how far back each pull reads again, because a record can
    become visible up to ten minutes after its stamp. `daily_share`: the part of the org's daily API calls at which to stop.
    `timeout_s`: how long one answer may take. `bulk_from`: from how many rows of one sort on they are written by a job of the Bulk API
    (an object with 25 times as many records is read by one).
    `hook_secrets`: the token in the address of outbound messages, and the one that comes next; none: no messages are
    taken. `hook_organization`: whose messages they must be.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    instance_url: str
    access_token: Secret | None = None
    client_id: str | None = None
    client_secret: Secret | None = None
    refresh_token: Secret | None = None
    username: str | None = None
    private_key: Secret | None = None
    login_url: str | None = None
    api_version: str = Field(default="66.0", pattern=r"^\d\d\.0$")
    external_id_field: str | None = Field(default=None, pattern=r"^[A-Za-z]\w*$")
    auto_assign: bool = False
    save_duplicates: bool = False
    overlap_s: int = Field(default=600, ge=0, le=86_400)
    daily_share: float = Field(default=0.8, gt=0, le=1)
    timeout_s: float = Field(default=120.0, gt=0, le=600)
    bulk_from: int = Field(default=2_000, ge=1)
    hook_secrets: tuple[Secret, ...] = ()
    hook_organization: str | None = Field(default=None, pattern=r"^00D([A-Za-z0-9]{12}|[A-Za-z0-9]{15})$")

    @field_validator("instance_url", "login_url")
    @classmethod
    def _plain_address(cls, url: str | None) -> str | None:
        if url is None:
            return None
        try:
            return checked_url(url, where="")
        except ConfigurationError as error:
            raise ValueError(f"{error.what}: {error.next_step}") from None

    @model_validator(mode="after")
    def _one_credential(self) -> SalesforceSettings:
        forms = [form for form, there in self._forms().items() if there]
        if not forms:
            raise ValueError(
                "no complete credential: give `access_token`, or `client_id` with `refresh_token`, with `username` and `private_key`, or with `client_secret`"
            )
        if len(forms) > 1:
            raise ValueError(f"more than one credential ({', '.join(forms)}): keep one of them")
        return self

    @model_validator(mode="after")
    def _known_sender(self) -> SalesforceSettings:
        if self.hook_secrets and self.hook_organization is None:
            raise ValueError("`hook_secrets` needs `hook_organization`: the organization's id is in every message and is checked")
        if self.hook_organization is not None and not self.hook_secrets:
            raise ValueError("`hook_organization` needs `hook_secrets`: without one no messages are taken")
        if any(len(secret.reveal()) < SHORTEST_TOKEN for secret in self.hook_secrets):
            raise ValueError(f"a token in `hook_secrets` has fewer than {SHORTEST_TOKEN} characters: it is all that proves a message")
        return self

    def _forms(self) -> dict[Form, bool]:
        app = self.client_id is not None
        refresh = self.refresh_token is not None
        jwt = self.private_key is not None or self.username is not None
        return {
            "access token": self.access_token is not None,
            "refresh token": app and refresh,
            "JWT": app and self.private_key is not None and self.username is not None,
            "client credentials": app and self.client_secret is not None and not refresh and not jwt,
        }

    @property
    def form(self) -> Form:
        """Which credential is given."""
        return next(form for form, there in self._forms().items() if there)

    @property
    def token_url(self) -> str:
        """Where access tokens are made."""
        return f"{self.login_url or self.instance_url}/services/oauth2/token"
