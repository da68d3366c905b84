"""The keys of a HubSpot account in the configuration."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ...model.ports import Secret
from .signatures import Version

BASE_URL = "https://api.hubapi.com"


class HubSpotSettings(BaseModel):
    """Either `token` (a private app's token or a Service Key) or the three OAuth keys.

    Limits stay a little below HubSpot's own (190 calls per 10 s and app on Professional and Enterprise, 5 searches per second
    and account), because others share them (HubSpot docs, API usage guidelines).
    """

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    base_url: str = BASE_URL
    token: Secret | None = None
    client_id: str | None = None
    client_secret: Secret | None = None
    refresh_token: Secret | None = None
    api_version: Annotated[str, Field(pattern=r"^(v3|20\d\d-(03|09))$")] = "v3"
    """The version segment of every path: `v3`, or a dated one such as `2026-09` (then the account's own rules for required fields bind writes)."""
    app_id: str | None = None
    """The app's id, by which history tells our own writes. Learned from the first record that we create where it is not given."""
    calls_per_10s: Annotated[int, Field(ge=1)] = 180
    searches_per_s: Annotated[int, Field(ge=1)] = 4
    daily_share: Annotated[float, Field(gt=0, le=1)] = 0.9
    """The part of the account's daily calls at which we stop."""
    overlap_s: Annotated[int, Field(ge=0)] = 300
    """How far each pull looks back before the last one: HubSpot's search index lags behind the records."""
    timeout_s: Annotated[float, Field(gt=0)] = 60.0
    hook_secrets: tuple[Secret, ...] = ()
    """The client secret of the app that sends webhooks, and the one that comes next; none: no webhooks are taken."""
    hook_signature: Version = "v3"

    @model_validator(mode="after")
    def _proved(self) -> Self:
        if "hook_signature" in self.model_fields_set and not self.hook_secrets:
            raise ValueError("`hook_signature` needs `hook_secrets`: without one no webhooks are taken")
        return self

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        oauth = (self.client_id, self.client_secret, self.refresh_token)
        if self.token is not None and any(oauth):
            raise ValueError("give either token, or client_id, client_secret and refresh_token: not both")
        if self.token is None and not all(oauth):
            raise ValueError("give token, or all of client_id, client_secret and refresh_token")
        return self
