"""HubSpot's webhooks: lists of events about contacts, of which only the ids are kept, as hints (HubSpot docs, Webhooks API).

Two forms are in use: `contact.creation`, and `object.creation` with `objectTypeId` 0-1; the docs name the field `eventType`, what arrives has
`subscriptionType`. `eventId` is not unique, so an event is known again by what it is about. Our own writes are told too, as by `INTEGRATION` with our app's
id: they are news to nobody.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from ...model.events import Event
from ..contract import Post, Reply
from ..hints import hint
from ..posted import posted_json
from .errors import KIND
from .rows import is_id
from .settings import HubSpotSettings
from .signatures import Version, doubt

MOST = 100
"""Events in one post."""
_CONTACTS = "0-1"
_LONGEST_ID = 18
"""Digits. A longer one is no contact's, and could have HubSpot refuse the whole call that reads it."""
_ENDS = {"creation": False, "propertyChange": False, "restore": False, "merge": True, "deletion": True, "privacyDeletion": True}
"""What happens to contacts, and whether a record may be gone by it."""
_SUBSCRIPTIONS = "to which events the app subscribes cannot be looked up from here, and a Service Key sends none: docs/hints.md lists those that are needed"
_TIMELESS = 'the signature has no time: where the app can send it, hook_signature = "v3" is the better proof'
_MARKS = ("portalId", "subscriptionId", "objectId", "occurredAt", "propertyName", "propertyValue", "mergedObjectIds")


class HubSpotHooks:
    """How one portal's posts are proved and read."""

    media_types = frozenset({"application/json"})

    def __init__(self, settings: HubSpotSettings) -> None:
        self._secrets = [secret.reveal() for secret in settings.hook_secrets]
        self._version: Version = settings.hook_signature
        self._app_id = settings.app_id
        self.covers_address = self._version != "v1"
        self.notes = (_SUBSCRIPTIONS,) if self._version == "v3" else (_SUBSCRIPTIONS, _TIMELESS)

    def verify(self, post: Post) -> str | None:
        """Why it is not to be believed."""
        return doubt(post, self._secrets, self._version)

    def read(self, post: Post) -> Sequence[Event]:
        """Its hints. What is not about contacts, and what we did ourselves, is passed over. Raises `ValueError` for what is no list of events."""
        told = posted_json(post.body)
        if not isinstance(told, list) or len(told) > MOST or not all(isinstance(each, dict) for each in told):
            raise ValueError(f"the body is no list of at most {MOST} events")
        return [found for each in told if (found := self._hint(each)) is not None]

    def _hint(self, told: Mapping[str, Any]) -> Event | None:
        what, ids = _what(told), _ids(told)
        if what is None or not ids or self._is_ours(told):
            return None
        marks = [what, *(told.get(name) for name in _MARKS)]
        return hint(hashlib.sha256(orjson.dumps(marks)).hexdigest(), KIND, ids, ended=_ENDS[what])

    def _is_ours(self, told: Mapping[str, Any]) -> bool:
        ours = self._app_id or told.get("appId")
        return told.get("changeSource") == "INTEGRATION" and ours is not None and str(told.get("sourceId")) == str(ours)

    def reply(self) -> Reply:
        """No content."""
        return Reply()


def _what(told: Mapping[str, Any]) -> str | None:
    """What happened to contacts; None for anything else."""
    subject, _, what = str(told.get("subscriptionType") or told.get("eventType")).partition(".")
    about = subject == "contact" or (subject == "object" and str(told.get("objectTypeId")) == _CONTACTS)
    return what if about and what in _ENDS else None


def _ids(told: Mapping[str, Any]) -> list[str]:
    """All contacts that it is about: a merge names both, and the one that they became."""
    merged = told.get("mergedObjectIds")
    named = [told.get(name) for name in ("objectId", "primaryObjectId", "newObjectId")] + (merged if isinstance(merged, list) else [])
    return [*dict.fromkeys(id for each in named if is_id(id := str(each)) and len(id) <= _LONGEST_ID)]
