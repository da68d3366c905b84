"""What `stagesync signal` does."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from ...mapping.defaults import parse_defaults
from ...model.errors import ConfigurationError
from ...sync.looking.reported import Kept, Reach
from .. import wiring
from ..configuration.config import Config
from ..configuration.loading import load
from ..terminal import output
from ..views import words
from ..views.signals import signals_json, signals_text
from . import people
from .signal_files import Door, keep_all, read_file


def door(config: Config) -> Door:
    """What a report may name in this configuration."""
    defaults = {name: parse_defaults(system.plugin.defaults()) for name, system in config.systems.items()}
    keys = {key for each in defaults.values() for kind in each.kinds.values() for key in kind.keys}
    own = {str(key) for system in config.systems.values() for key in system.table.get("keys", {})}
    return Door(keys | own, {name: tuple(each.kinds) for name, each in defaults.items()})


def add(file: str, path: Path | None, *, json: bool) -> int:
    """Keep what stands in the file. Raises `ConfigurationError` with every line that is wrong."""
    config = load(path)
    may = door(config)
    with wiring.opened(config) as place:
        now = place.clock.now_ms()
        with _opened(file) as lines:
            told = read_file(lines, may, now)
        reach = {name: Reach(account, may.systems[name]) for name, account in place.bound().items()}
        kept = keep_all(place.store, place.id, reach, told, now)
    if json:
        output.say_json({"new": kept.new, "known": kept.known, "nobodys": kept.nobodys, "forgotten": kept.forgotten})
    else:
        output.say_all(_told(kept))
    if not config.signals:
        output.tell("Runs look at no signals in this configuration: set keep = true in [signals], or write [[qualify]] or [[score]].")
    return 0


@contextmanager
def _opened(file: str) -> Iterator[BinaryIO]:
    if file == "-":
        yield sys.stdin.buffer
        return
    try:
        with Path(file).open("rb") as opened:
            yield opened
    except OSError as error:
        raise ConfigurationError(f"cannot be read: {error.strerror}", where=file, next_step="give a file of JSON lines, or - for stdin") from None


def _told(kept: Kept) -> Iterator[str]:
    known = f", {kept.known:,} known already" if kept.known else ""
    yield f"{words.count(kept.new, 'new signal')} kept{known}."
    if kept.nobodys:
        yield f"{kept.nobodys:,} of them {'is' if kept.nobodys == 1 else 'are'} about somebody who is not known yet, and will be theirs as soon as they are."
    if kept.forgotten:
        yield f"{words.count(kept.forgotten, 'signal')} about people who were forgotten: not kept."
    if kept.new > kept.nobodys:
        yield "The next run looks at the people concerned."


def show(who: str, path: Path | None, *, json: bool) -> int:
    """What the people did who are meant. Raises `ConfigurationError` where nobody is."""
    told: list[dict[str, Any]] = []
    with wiring.opened(load(path)) as place:
        persons = sorted(cast("frozenset[int]", people.chosen(place.store, place.id, place.bound(), [who])))
        with place.store.read() as tx:
            for number, person in enumerate(persons):
                if json:
                    told.append(signals_json(tx, person))
                else:
                    output.say_all([*([""] if number else []), *signals_text(tx, person)])
    if json:
        output.say_json({"people": told})
    return 0
