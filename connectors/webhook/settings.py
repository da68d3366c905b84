"""What may be configured for a system that posts events or takes them, checked before anything comes in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal
from urllib.parse import urlsplit

import jmespath
from jmespath.exceptions import JMESPathError
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from ...model.ports import Secret
from ..manners import is_loopback

_WHSEC = re.compile(r"(whsec_)?([A-Za-z0-9+/]{4}){4,}([A-Za-z0-9+/]{2,3}=*)?")  # sixteen bytes are the least that is a secret
Kind = Literal["person", "signal", "stage", "delete"]


def _expression(text: str) -> str:
    try:
        jmespath.compile(text)
    except JMESPathError as error:
        raise ValueError(f"is no JMESPath expression: {str(error).splitlines()[0]}") from None
    return text


Expression = Annotated[str, AfterValidator(_expression)]
"""A JMESPath expression over the event's body."""


class EventTable(BaseModel):
    """One `[[systems.NAME.events]]` table: which events it is about, and what they mean.

    `when`: holds for the events that are meant (left out: all). `ref`: the sender's id of the person; left out, the address stands for it. `at`: when it
    happened (left out or empty: when it came). `fields`: native field -> its value. `stage`: the stage that is reported. `signal`: the word for this kind of
    signal, with its `attributes`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    when: Expression | None = None
    ref: Expression | None = None
    email: Expression | None = None
    at: Expression | None = None
    fields: Mapping[Annotated[str, Field(pattern=r"^[A-Za-z]\w*$")], Expression] = Field(default_factory=dict)
    stage: Expression | None = None
    signal: str | None = Field(default=None, pattern=r"^[a-z][a-z0-9_]{0,39}$")
    attributes: Mapping[str, Expression] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _whole(self) -> EventTable:
        if self.ref is None and self.email is None:
            raise ValueError("says not whom it is about: give `ref`, `email` or both")
        belongs = {"fields": ("person",), "stage": ("stage",), "signal": ("signal",), "attributes": ("signal",)}
        for key, kinds in belongs.items():
            if getattr(self, key) and self.kind not in kinds:
                raise ValueError(f"`{key}` is not part of a {self.kind} event")
        if self.kind in ("stage", "signal") and getattr(self, self.kind) is None:
            raise ValueError(f"`{self.kind}` is missing")
        return self


class WebhookSettings(BaseModel):
    """The keys of `[systems.NAME]` with `connector = "webhook"`.

    `scheme`: how a post proves where it comes from. `standard`: the Standard Webhooks headers. `hmac`: HMAC-SHA256 of the body in `header`, in the form
    `signature`: `hex`, `base64`, `sha256=` (hex behind that word) or `t=,v1=` (of time, point and body). `bearer`: a token in `Authorization`.
    `secrets`: every one of them is good, so that one can take the place of another; without any, nothing is taken in. `split`: where a post holds many
    events. `id`: by what an event is known when it comes again (default: the header `webhook-id`, or the body itself).

    `endpoint_url`: where our own events go, signed with `signing_secret` by the Standard Webhooks scheme. `allow_private`: hosts that may be in a private
    network.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    scheme: Literal["standard", "hmac", "bearer"] = "standard"
    secrets: tuple[Secret, ...] = ()
    header: str = Field(default="x-signature", pattern=r"^[A-Za-z0-9-]+$")
    signature: Literal["hex", "base64", "sha256=", "t=,v1="] = "hex"
    split: Expression | None = None
    id: Expression | None = None
    events: tuple[EventTable, ...] = ()
    endpoint_url: str | None = None
    signing_secret: Secret | None = None
    allow_private: tuple[str, ...] = ()

    @field_validator("endpoint_url")
    @classmethod
    def _address(cls, url: str | None) -> str | None:
        parts = urlsplit(url or "https://endpoint")
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.password or parts.fragment:
            raise ValueError('is not an address: write it as "https://host/path"')
        if parts.scheme == "http" and not is_loopback(url or ""):
            raise ValueError("people's data would travel in clear: use https; http is for this machine only (127.0.0.1, localhost)")
        return url

    @model_validator(mode="after")
    def _usable(self) -> WebhookSettings:
        if bool(self.secrets) != bool(self.events):
            raise ValueError("what comes in needs both: `secrets` to prove it, and [[events]] to say what it means")
        if (self.endpoint_url is None) != (self.signing_secret is None):
            raise ValueError("what goes out needs both: `endpoint_url`, and `signing_secret` by which the receiver knows us")
        if not self.secrets and self.endpoint_url is None:
            raise ValueError("nothing comes in and nothing goes out: give `secrets` and [[events]], or `endpoint_url` and `signing_secret`")
        if self.signing_secret is not None and not _WHSEC.fullmatch(self.signing_secret.reveal()):
            raise ValueError('`signing_secret` is not base64, with or without "whsec_" before it')
        if self.scheme != "hmac" and {"header", "signature"} & self.model_fields_set:
            raise ValueError('`header` and `signature` belong to scheme = "hmac"')
        if self.scheme == "standard" and not all(_WHSEC.fullmatch(secret.reveal()) for secret in self.secrets):
            raise ValueError('a secret is not base64, with or without "whsec_" before it')
        return self
