"""Webhooks as HubSpot sends them: lists of at most 100 events, signed, to the one target of the app; at least once if all goes well, in any order.

    world.webhooks.subscribe("https://hooks.acme.example/hooks/hubspot", "the app's client secret")
    for post in world.webhooks.posts(Random(7)): ...      # some events are lost, doubled, late, out of order

What is not yet on its way waits in `pending`. Nothing is noted while nobody has subscribed.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Sequence
from random import Random
from typing import Any, NamedTuple

import httpx
import orjson

from ..clock import WorldClock
from .contacts import Author

MOST = 100
TIMEOUT_S = 5.0
SUBSCRIPTIONS = {name: 5_001 + number for number, name in enumerate(("creation", "propertyChange", "merge", "deletion", "privacyDeletion", "restore"))}
_FLAGS = {"creation": "CREATED", "deletion": "DELETED"}
_LOST, _LATE, _DOUBLED = 0.25, 0.2, 0.2


class Post(NamedTuple):
    """One signed request to the target; `events`: what is in its body."""

    url: str
    headers: dict[str, str]
    body: bytes
    events: Sequence[dict[str, Any]]


class Webhooks:
    """The app's subscriptions: to everything that happens to contacts, or to nothing."""

    def __init__(self, portal_id: int, app_id: int, clock: WorldClock) -> None:
        self.portal_id, self.app_id, self.clock = portal_id, app_id, clock
        self.url, self.secret, self.generic = "", "", False
        self.pending: list[dict[str, Any]] = []
        self._told = 0

    def subscribe(self, url: str, secret: str, *, generic: bool = False) -> None:
        """From now on all is told to this target. `generic`: as `object.creation` with a type's id, not as `contact.creation`."""
        self.url, self.secret, self.generic = url, secret, generic

    def tell(self, what: str, number: int, at_ms: int, author: Author, **more: Any) -> None:
        """Something happened to a contact."""
        if not self.url:
            return
        self._told += 1
        event: dict[str, Any] = {
            "eventId": 100 + self._told % 7,  # HubSpot's is not unique either
            "subscriptionId": SUBSCRIPTIONS[what],
            "portalId": self.portal_id,
            "appId": self.app_id,
            "occurredAt": at_ms,
            "subscriptionType": f"{'object' if self.generic else 'contact'}.{what}",
            "attemptNumber": 0,
            "objectId": number,
            "changeSource": author.source_type,
            **({"sourceId": author.source_id} if author.source_id else {}),
            **({"changeFlag": _FLAGS[what]} if what in _FLAGS else {}),
            **({"objectTypeId": "0-1", "isSensitive": False} if self.generic else {}),
            **more,
        }
        self.pending.append(event)

    def posts(self, random: Random | None = None) -> list[Post]:
        """All that waits, on its way. `random`: some of it is lost, comes twice, only the next time, or in another order."""
        going, self.pending = self.pending, []
        if random is not None:
            going = self._through_the_world(going, random)
        parts = [going[at : at + MOST] for at in range(0, len(going), MOST)]
        return [self.signed(part) for part in parts]

    def signed(self, events: Sequence[dict[str, Any]]) -> Post:
        """These events as one post, with the first and the third version of the signature (HubSpot docs, Validating requests)."""
        body, stamp = orjson.dumps(events), str(self.clock.now_ms())
        text = b"POST" + self.url.encode() + body + stamp.encode()
        proof = b64encode(hmac.digest(self.secret.encode(), text, hashlib.sha256)).decode()
        headers = {
            "content-type": "application/json;charset=utf-8",
            "x-hubspot-signature": hashlib.sha256(self.secret.encode() + body).hexdigest(),
            "x-hubspot-signature-version": "v1",
            "x-hubspot-signature-v3": proof,
            "x-hubspot-request-timestamp": stamp,
        }
        return Post(self.url, headers, body, events)

    def deliver(self, to: str | None = None, random: Random | None = None) -> int:
        """Post all that waits over the network (`to`: where the target is reached from here); how many events were taken. The others wait for another try."""
        taken = 0
        for post in self.posts(random):
            if 200 <= _status(to or post.url, post) < 300:
                taken += len(post.events)
            else:
                self.pending += [{**event, "attemptNumber": event["attemptNumber"] + 1} for event in post.events]
        return taken

    def _through_the_world(self, going: Sequence[dict[str, Any]], random: Random) -> list[dict[str, Any]]:
        arriving: list[dict[str, Any]] = []
        for event in going:
            chance = random.random()
            if chance < _LATE:
                self.pending.append(event)
            elif chance < 1 - _LOST:
                arriving += [event] * (2 if random.random() < _DOUBLED else 1)
        return random.sample(arriving, len(arriving))


def _status(url: str, post: Post) -> int:
    """The answer's status; 0 where there is none in time."""
    try:
        return httpx.post(url, content=post.body, headers=post.headers, timeout=TIMEOUT_S, trust_env=False).status_code
    except httpx.HTTPError:
        return 0
