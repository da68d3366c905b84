"""What becomes of each record of the source: every one is counted once, by what is on record of it, so that the counts add up or show what is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

from ...state import actions, links, people
from ...state.actions import ActionRow
from ...state.links import LinkRow, Place
from ...state.store import Tx
from ..deciding.copies import unlike
from ..deciding.creation import HELD_KEY, KEY, why_not
from ..deciding.desk import System
from ..deciding.parking import PARKED, for_create
from ..session import Session
from .pair import CHUNK, Pair

Fate: TypeAlias = Literal["created", "matched", "duplicate", "excluded", "rejected", "held", "gone", "open"]
FATES: tuple[Fate, ...] = get_args(Fate)
_KEEPS_OUT = {
    "required": "a required field has no value",
    "deleted": "deleted in another system",
    "erased": "erased for privacy in another system",
}
"""Questions that keep a record from being made, by their first word, and what they mean for the record."""
SAYS_NO_MORE = "a second record of the same person"
STAYS = "what it alone says stays behind"
SAYS_MORE = f"{SAYS_NO_MORE}; {STAYS}"


class Evidence(NamedTuple):
    """What is on record of one person. `there`: linked in the target; `made`: by this migration, done or planned; `lost`: it was there, and is no longer.

    `refused`: the target took no such record. `questions`: (question, field) of what somebody must answer.
    """

    there: bool
    made: bool
    lost: bool = False
    why_not: str | None = None
    refused: bool = False
    questions: Collection[tuple[str, str]] = ()


def fate(known: Evidence) -> tuple[Fate, str]:
    """What becomes of the person's record, and why where it does not arrive."""
    if known.made:
        return "created", ""
    if known.there:
        return "matched", ""
    keeping = [question for question, _ in known.questions if question.partition(":")[0] in _KEEPS_OUT]
    if known.lost and not keeping:
        return "gone", "its record there was deleted"
    if known.why_not is not None:
        return "excluded", known.why_not
    if known.refused:
        return "rejected", "refused there (`stagesync errors`)"
    if keeping:
        return "held", _KEEPS_OUT[keeping[0].partition(":")[0]]
    if any(name == KEY for _, name in known.questions):
        return "held", HELD_KEY
    return "open", "a run has yet to look at it"


@dataclass(slots=True)
class Fates:
    """The source's records, counted. `told`: (fate, why) -> records; `records`: all that the source has, as it was last read."""

    records: int = 0
    told: Counter[tuple[Fate, str]] = field(default_factory=Counter[tuple[Fate, str]])

    def of(self, fate: Fate) -> int:
        """All records of one fate."""
        return sum(count for (each, _), count in self.told.items() if each == fate)

    @property
    def adds_up(self) -> bool:
        """Every record is accounted for."""
        return self.told.total() == self.records and not self.of("open") and not self.of("gone")


def fates(session: Session, pair: Pair, first_run: int, plan: int | None = None) -> Fates:
    """Walk over all records of the source. `first_run`: no run of the migration is older; `plan`: the run whose stored plan is to be counted as done."""
    found, makers = Fates(), _Makers(pair.goal, first_run, plan)
    with session.store.read() as tx:
        asked = {link: hold.reason for hold in actions.each_hold(tx, session.workspace) for link in hold.payload.get("park", ())}
    waiting = 0 if plan is None else -_count_planned(session, pair, makers, asked, found)
    for rows in _live(session, pair):
        found.records += len(rows)
        waiting += sum(row.state == "new" and row.id not in asked for row in rows)
        found.told.update(("held", asked[row.id]) for row in rows if row.id in asked and row.state != "linked")
        with session.store.read() as tx:
            _count_twice(tx, session, [row.id for row in rows if row.state == "parked" and row.id not in asked], found)
            _count_linked(tx, session, makers, [row.person for row in rows if row.state == "linked" and row.person is not None], found)
    found.told["open", "a run has yet to look at it"] += waiting
    found.told += Counter()  # without what is zero
    return found


def _live(session: Session, pair: Pair) -> Iterator[list[Place]]:
    """The source's records that are there, a chunk at a time."""
    after = 0
    while True:
        with session.store.read() as tx:
            rows = links.places(tx, session.workspace, pair.source.system.account, after, CHUNK)
        if not rows:
            return
        after = rows[-1].id
        yield [row for row in rows if row.state in links.LIVE]


@dataclass(frozen=True, slots=True)
class _Makers:
    """By which runs records are made in the target: those of the migration, and the one whose plan counts as done.

    `joined`: people who are known, and to whom that plan gives a record of the target.
    """

    goal: System
    first_run: int
    plan: int | None
    joined: set[int] = field(default_factory=set[int])

    def made(self, tx: Tx, numbers: Sequence[int]) -> tuple[set[int], set[int]]:
        """Of these people, those for whom a record was made, and those for whom one is planned."""
        written = actions.creating(tx, numbers, self.goal.account, self.first_run, ("applied",))
        return written, set() if self.plan is None else actions.creating(tx, numbers, self.goal.account, self.plan, ("planned",))


def _count_linked(tx: Tx, session: Session, makers: _Makers, numbers: Sequence[int], found: Fates) -> None:
    """Only of those who did not arrive the whole file is read: they are few."""
    made = makers.made(tx, numbers)
    there = {*links.there(tx, numbers, makers.goal.account), *makers.joined.intersection(numbers)}
    missing = {number for number in numbers if number not in there and number not in made[1]}
    persons, theirs, holds = people.by_ids(tx, missing), links.of_people(tx, missing), actions.holds_of_people(tx, session.workspace, missing)
    for number in numbers:
        if number in missing:
            person = persons[number]
            known = _evidence(makers, theirs.get(number, []), made, number, (person.values, person.stage), holds.get(number, []))
        else:
            known = Evidence(there=number in there, made=_is_made(made, number, there=number in there))
        found.told[fate(known)] += 1


def _count_twice(tx: Tx, session: Session, numbers: Sequence[int], found: Fates) -> None:
    """Second records of somebody, by whether the person's own record says all that they say."""
    rows = links.by_ids(tx, numbers).values()
    theirs = links.of_people(tx, {row.person for row in rows if row.person is not None})
    for row in rows:
        found.told["duplicate", _second(session, row, theirs.get(row.person or 0, []))] += 1


def _second(session: Session, row: LinkRow, theirs: Sequence[LinkRow]) -> str:
    best = next((link for link in theirs if link.account == row.account and link.state in ("linked", "new") and link.id != row.id), None)
    more = best is not None and any(said is not None for _, said in unlike(session.desk, best, row).values())
    return SAYS_MORE if more else SAYS_NO_MORE


def _count_planned(session: Session, pair: Pair, makers: _Makers, asked: Collection[int], found: Fates) -> int:
    """The records that a stored plan would give to somebody; how many."""
    after, counted = 0, 0
    while True:
        with session.store.read() as tx:
            rows = actions.of_run(tx, makers.plan or 0, ("planned",), after, CHUNK, op="decide")
            if not rows:
                return counted
            after = rows[-1].id
            counted += _count_decided(tx, session, pair, makers, rows, asked, found)


def _count_decided(tx: Tx, session: Session, pair: Pair, makers: _Makers, rows: Sequence[ActionRow], asked: Collection[int], found: Fates) -> int:
    numbers = [row.person or 0 for row in rows]
    named = [int(link) for row in rows for link in (*_members(row), *row.payload["duplicates"])]
    records, theirs, made = links.by_ids(tx, named), links.of_people(tx, numbers), makers.made(tx, numbers)
    holds = actions.holds_of_people(tx, session.workspace, numbers)
    counted = 0
    for row in rows:
        number = row.person or 0
        mine = [records[link]._replace(claim=notes) for link, notes in _members(row).items()]
        if any(record.account == makers.goal.account for record in mine):
            makers.joined.add(number)
        fresh = sum(_is_fresh(record, pair, asked) for record in mine)
        beside = [records[link] for link in row.payload["duplicates"] if _is_fresh(records[link], pair, asked)]
        values = {name: entry[0] for name, entry in row.payload["canonical"].items()}
        stands = (values, row.payload["stage"][0])
        found.told[fate(_evidence(makers, [*theirs.get(number, []), *mine], made, number, stands, holds.get(number, [])))] += fresh
        found.told.update(("duplicate", _second(session, record, [*mine, *theirs.get(number, [])])) for record in beside)
        counted += fresh + len(beside)
    return counted


def _members(row: ActionRow) -> dict[int, dict[str, Any] | None]:
    """Link -> what would be noted of it, of the records that the decision gives to its person."""
    return {link: notes for link, _, _, _, notes in row.payload["links"]}


def _is_fresh(record: LinkRow, pair: Pair, asked: Collection[int]) -> bool:
    return record.account == pair.source.system.account and record.state == "new" and record.id not in asked


def _evidence(
    makers: _Makers,
    records: Sequence[LinkRow],
    made: tuple[set[int], set[int]],
    number: int,
    stands: tuple[Mapping[str, Any], str | None],
    holds: Sequence[ActionRow],
) -> Evidence:
    """`made`: for whom a record was, and is to be, made; `stands`: what the hub knows of the person, and their stage."""
    states = {record.state for record in records if record.account == makers.goal.account}
    there = number in makers.joined or not states.isdisjoint(("linked", "new"))
    return Evidence(
        there=there,
        made=_is_made(made, number, there=there),
        lost="gone" in states and not there,
        why_not=why_not(makers.goal, *stands),
        refused=any(for_create(makers.goal.account) in (record.claim or {}).get(PARKED, {}) for record in records),
        questions={(hold.question or "", hold.field or "") for hold in holds},
    )


def _is_made(made: tuple[set[int], set[int]], number: int, *, there: bool) -> bool:
    """A record that was made and is gone again does not count."""
    written, planned = made
    return (there and number in written) or number in planned
