"""A post of JSON taken apart into its events, each with what it is known by when it comes again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import jmespath
import orjson

from ...model.events import Event
from ..contract import Post, Reply
from ..posted import posted_json
from . import schemes
from .settings import WebhookSettings

_LONGEST_KEY = 200
_ID_HEADERS = ("webhook-id",)


class JsonHooks:
    """How one system's posts are proved and read."""

    media_types = frozenset({"application/json"})
    covers_address = False
    notes = ()

    def __init__(self, settings: WebhookSettings) -> None:
        secrets = [secret.reveal() for secret in settings.secrets]
        match settings.scheme:
            case "standard":
                self._scheme = schemes.standard(secrets)
            case "hmac":
                self._scheme = schemes.signed(secrets, settings.header, settings.signature)
            case "bearer":
                self._scheme = schemes.bearer(secrets)
        self._split = jmespath.compile(settings.split) if settings.split else None
        self._id = jmespath.compile(settings.id) if settings.id else None

    def verify(self, post: Post) -> str | None:
        """Why it is not to be believed."""
        return self._scheme(post)

    def read(self, post: Post) -> Sequence[Event]:
        """Its events. Raises `ValueError` for what is no JSON, is nested too deep, or cannot be split as configured."""
        parts = self._parts(posted_json(post.body))
        whole = self._told_id(post)
        return [Event(self._key(part, whole, number), part) for number, part in enumerate(parts)]

    def _parts(self, body: Any) -> list[Any]:
        if self._split is None:
            return [body]
        found = _searched(self._split, body)
        if not isinstance(found, list):
            raise ValueError("there is no list of events where `split` says")
        return found

    def _told_id(self, post: Post) -> str | None:
        """What the whole post is known by, where its headers say so."""
        return next((value for name in _ID_HEADERS if (value := post.headers.get(name))), None)

    def _key(self, part: Any, whole: str | None, number: int) -> str:
        """The event's own id, or that of its post with its place there, or a mark of what it says."""
        own = _searched(self._id, part) if self._id is not None else None
        if isinstance(own, (str, int)) and not isinstance(own, bool) and own != "":
            return _short(str(own))
        if whole is not None:
            return _short(whole if number == 0 else f"{whole}#{number}")
        return "#" + hashlib.sha256(orjson.dumps(part, option=orjson.OPT_SORT_KEYS)).hexdigest()

    def reply(self) -> Reply:
        """No content."""
        return Reply()


def _searched(expression: Any, body: Any) -> Any:
    """What stands there; None also where the expression was not written for such a body."""
    try:
        return expression.search(body)
    except Exception:  # noqa: BLE001 - JMESPath's own errors are not all that it raises: `a > b` of a text and a number is a TypeError
        return None


def _short(key: str) -> str:
    """The key itself; a mark of one that is too long, or that no database would take."""
    if len(key) <= _LONGEST_KEY and key.isprintable():
        return key
    return "#" + hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
