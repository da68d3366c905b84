"""What a HubSpot portal posts, taken in as the receiver does, without sockets: proved, read, and put into the inbox of a workspace."""

from __future__ import annotations

from contextlib import closing
from random import Random
from typing import Any

from hubspot_portal import settings

from stagesync.connectors.contract import Post
from stagesync.connectors.hubspot.hooks import HubSpotHooks
from stagesync.connectors.hubspot.settings import HubSpotSettings
from stagesync.model.ports import Clock, Secret
from stagesync.sandbox.hubspot import HubSpotWorld
from stagesync.sandbox.hubspot.webhooks import Post as Sent
from stagesync.state import inbox
from stagesync.state.inbox import Arrival, open_inbox

TARGET = "https://hooks.acme.example/hooks/hub"
SECRET = "the client secret of the app"


def hearing(**given: Any) -> HubSpotSettings:
    """Settings of a portal that tells by itself."""
    return settings(hook_secrets=(Secret(SECRET),), **given)


def arrived(sent: Sent, received: int) -> Post:
    """What was sent, as it arrives."""
    return Post("POST", "/hooks/hub", sent.headers, sent.body, received, sent.url)


class Ears:
    """Listens to one portal for the system `hub` of a workspace."""

    def __init__(self, world: HubSpotWorld, state_url: str, workspace: str, clock: Clock) -> None:
        self.world, self.workspace, self.clock = world, workspace, clock
        self.state_url = state_url
        self.hooks = HubSpotHooks(hearing())
        world.webhooks.subscribe(TARGET, SECRET)

    def hear(self, random: Random | None = None) -> int:
        """All that waits comes in, or what is left of it on a way on which events are lost, doubled, late and out of order; how many were news."""
        fresh = 0
        for sent in self.world.webhooks.posts(random):
            post = arrived(sent, self.clock.now_ms())
            assert self.hooks.verify(post) is None
            arrivals = [Arrival(self.workspace, "hub", event, post.received) for event in self.hooks.read(post)]
            with closing(open_inbox(self.state_url)) as box, box.write() as tx:
                fresh += sum(inbox.put(tx, arrivals))
        return fresh
