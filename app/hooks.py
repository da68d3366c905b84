"""Where posts come in: the doors of all systems that tell us something by themselves, and what is to be known of them before anything comes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..connectors.contract import Telling
from ..connectors.manners import is_loopback
from ..model.errors import ConfigurationError
from ..state import inbox
from ..state.inbox import inbox_of
from .configuration.config import Config
from .web.receiver import Door


def doors(configs: Iterable[Config]) -> list[Door]:
    """One door for each such system of each workspace."""
    return [
        Door(config.workspace, name, hooks, config.listen.public_url)
        for config in configs
        for name, system in config.systems.items()
        if isinstance(system.plugin, Telling) and (hooks := system.plugin.hooks(name, system.settings)) is not None
    ]


def provable(config: Config) -> None:
    """Raises `ConfigurationError` where a system proves its posts by the address to which it sends them, and nobody told us that address."""
    lost = [door.system for door in doors([config]) if door.hooks.covers_address and door.public_url is None]
    if lost:
        raise ConfigurationError(
            f"public_url is missing: {' and '.join(lost)} would sign the address of every post, and none could be believed",
            where=f"{config.path}: serve.public_url",
            next_step='write public_url = "https://..." under [serve], as the outside reaches this service, or take out hook_secrets',
        )


def notes(config: Config) -> Iterator[str]:
    """What `check` tells of posts: where they are to be sent, whether any came, and what nobody can look up from here."""
    found = doors([config])
    if not found:
        return
    url = config.listen.public_url
    if url is not None and url.startswith("http:") and not is_loopback(url):
        yield "serve: public_url is no https address: HubSpot and Salesforce post to no other, and what is posted can be read on its way"
    came = _came(config)
    for door in found:
        told = "" if door.system in came else "; none came during the last week"
        yield f"{door.system}: `stagesync serve` takes its posts in at {url or 'the address of the service'}/hooks/{door.system}{told}"
        yield from (f"{door.system}: {note}" for note in door.hooks.notes)


def _came(config: Config) -> set[str]:
    """The systems of which there are events in the inbox, where they are kept for a week. Raises `StateError`."""
    with inbox_of(config.state_url) as box:
        if box is None:
            return set()
        with box.read() as tx:
            return {each.system for each in inbox.waiting(tx, config.workspace)}
