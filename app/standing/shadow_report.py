"""What a shadow has to tell: read from its state alone, whether a service looks on or not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...lifecycle.funnel import Funnel
from ...model.errors import ConfigurationError
from ...state import accounts, actions, links, runs, shadow
from ...state.links import LinkRow
from ...state.runs import RunRow
from ...state.store import Tx
from ...sync.actors import Actors
from ...sync.people import holds
from ...sync.shadows.shadow_count import Count, count
from .. import metadata, wiring
from ..configuration.config import Config
from ..shadows import shadow_file
from ..wiring import Place

_ALL = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Question:
    """One question that would be asked: of how many cases, and how many of them came since the shadow began."""

    title: str
    cases: int
    new: int


@dataclass(frozen=True, slots=True)
class ShadowReport:
    """All of it. `since`, `until`: first and last look (ms). `systems`: account -> name. `findings`: (system, what was found of it).

    `stopped`: sort of guard -> how many looks after the first it would have stopped. `records`: those of the examples.
    `people`: person -> a record of theirs, where an example speaks of one that is not there.
    """

    workspace: str
    since: int
    until: int
    looks: int
    systems: Mapping[int, str]
    unseen: frozenset[str]
    findings: Sequence[tuple[str, str]]
    count: Count
    questions: Sequence[Question]
    stopped: Mapping[str, int]
    records: Mapping[int, LinkRow]
    people: Mapping[int, LinkRow]
    actors: Actors


def look(config: Config) -> ShadowReport:
    """Read the shadow of a configuration. Raises `ConfigurationError` where none has looked yet."""
    if not shadow_file(config).exists():
        raise _none(config)
    with wiring.looked_at(config) as place, place.store.read() as tx:
        done = [row for row in reversed(runs.recent(tx, place.id, _ALL)) if row.state == "applied"]
        if not done:
            raise _none(config)
        return _read(tx, place, done, config.funnel)


def _none(config: Config) -> ConfigurationError:
    return ConfigurationError(
        "no shadow has looked on yet",
        where=str(shadow_file(config)),
        next_step=f"start one with `stagesync serve --shadow {config.path}`, or have one look now with `stagesync shadow run`",
    )


def _read(tx: Tx, place: Place, done: Sequence[RunRow], funnel: Funnel) -> ShadowReport:
    systems = {account: name for name, account in accounts.bound(tx, place.id).items()}
    found = count(shadow.each(tx, place.id), funnel)
    examples = [row for group in found.groups.values() for row in group.examples]
    theirs = links.of_people(tx, {row.person for row in examples if row.link is None})
    stopped = Counter(kind for row in done[1:] for kind in {kind for kind, _ in row.counts.get("stops", ())})
    users, findings = dict[str, Mapping[str, str]](), list[tuple[str, str]]()
    for account, name in systems.items():
        if (known := accounts.metadata(tx, account)) is not None:
            _, description = metadata.from_json(known[0])
            users[name] = description.users
            findings += [(name, finding) for finding in description.findings]
    return ShadowReport(
        workspace=place.config.workspace,
        since=done[0].started_at,
        until=done[-1].started_at,
        looks=len(done),
        systems=systems,
        unseen=frozenset(name for account, name in systems.items() if accounts.by_id(tx, account).vendor == "webhook"),
        findings=findings,
        count=found,
        questions=_questions(tx, place.id, done[0].id),
        stopped=dict(stopped.most_common()),
        records=links.by_ids(tx, {row.link for row in examples if row.link is not None}),
        people={person: rows[0] for person, rows in theirs.items()},
        actors=Actors(users, {}),
    )


def _questions(tx: Tx, workspace: int, first: int) -> list[Question]:
    new = Counter(hold.question or "" for hold in actions.each_hold(tx, workspace) if hold.run > first)
    return [Question(group.plain_title, group.count, new[group.question]) for group in holds.groups(tx, workspace)]
