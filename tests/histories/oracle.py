"""Says whether a history ended well: quiet, agreed, nothing lost, nothing twice, no stage lowered by itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from lab import Lab
from somebody import FIELDS, LINE, Doing, Row

from stagesync.model.records import Ref
from stagesync.state import actions, entries, links, people
from stagesync.state.actions import ActionRow
from stagesync.state.links import LinkRow
from stagesync.sync.deciding.parking import PARKED
from stagesync.sync.looking.verify import verify

ROUNDS = 6


def settled(lab: Lab) -> Iterator[str]:
    """What is wrong after the trouble is over: nothing, or sentences."""
    yield from quiet(lab)
    yield from proved(lab)
    yield from present(lab)
    memory = Memory(lab)
    for human in sorted({doing.human for doing in lab.doings} - lab.tainted):
        yield from agreed(lab, memory, human)
        yield from kept(lab, memory, human)
        yield from once(lab, human)
        yield from dead(lab, human)
        yield from silent(lab, memory, human)
    yield from lab.watch.wrong


def quiet(lab: Lab) -> Iterator[str]:
    """Runs come to rest within a few rounds, and stay at rest."""
    for _ in range(ROUNDS):
        report = lab.round()
        if report is None or report.error is not None:
            yield f"a run without trouble stopped: {report.error if report else lab.story[-1]!r}"
            return
        left = sum(count.skipped for count in report.systems.values())  # to the next plan: their records are not as this one saw them
        if report.writes == 0 and report.rejected == 0 and report.new_holds == 0 and left == 0:
            break
        lab.later(120)  # until what was written shows in every index
    else:
        yield f"not quiet after {ROUNDS} rounds"
        return
    lab.later(90_000)
    report = lab.round()
    if report is None or report.writes or report.new_holds:
        yield f"after the quiet, a run wrote again or asked anew: {report}"


def proved(lab: Lab) -> Iterator[str]:
    """The program's own proof, which reads all systems anew, comes to the same end."""
    found = verify(lab.session)
    drifts = [drift for drift in found.drifts if not all(refused or (there and folded(there) == folded(wanted)) for _, there, wanted, refused in drift.fields)]
    if drifts:
        yield f"verify finds drift: {drifts}"


def present(lab: Lab) -> Iterator[str]:
    """Whoever has no record left is in no place of the ledger, and whoever has one is in one."""
    with lab.session.store.read() as tx:
        everybody = [row.id for row in people.each(tx, lab.session.workspace, 0, 10_000)]
        ledger, records = entries.of_people(tx, everybody), links.of_people(tx, everybody)
    for person, stays in ledger.items():
        left = [link.address for link in records.get(person, ()) if link.state == "linked"]
        if (stays[-1].origin == entries.GONE) == bool(left):
            yield f"p{person} has the records {left}, and the ledger says {stays[-1]}"


class Memory:
    """What the state holds, as the oracle needs it."""

    def __init__(self, lab: Lab) -> None:
        session = lab.session
        self.accounts = {connected.name: account for account, connected in session.systems.items()}
        with session.store.read() as tx:
            self.links = [row for account in session.systems for row in links.each(tx, session.workspace, account, 0, 10_000)]
            self.holds: list[ActionRow] = actions.holds(tx, session.workspace)
            persons = {row.person for row in self.links if row.person is not None}
            self.people = people.by_ids(tx, list(persons))
            self.acts: dict[int, list[ActionRow]] = {person: actions.of_person(tx, session.workspace, person, 10_000) for person in persons}
        self.by_ref = {(row.account, row.address): row for row in self.links}

    def link(self, row: Row) -> LinkRow | None:
        """The link of a live record."""
        return self.by_ref.get((self.accounts[row.world], Ref(row.kind.lower(), row.id)))

    def held(self, persons: set[int], rows: list[LinkRow], field: str) -> bool:
        """A question is open about a field of these people or about their records as a whole, or a write of it was refused for good and is parked."""
        mine = {row.id for row in rows}
        asked = any(
            hold.field in (field, "record") and (hold.person in persons or hold.link in mine or mine & set(hold.payload.get("park", ()))) for hold in self.holds
        )
        return asked or any(field in (row.claim or {}).get(PARKED, {}) for row in rows)

    def told(self, person: int, field: str) -> Any:
        """The hub's value of a field."""
        return (self.people[person].canonical.get(field) or [None])[0] if person in self.people else None

    def overruled(self, persons: set[int], field: str, value: Any) -> bool:
        """The value lost by a rule, and it is on record."""
        return any(
            act.op == "overrule" and act.state == "overruled" and act.field == field and folded(act.fields[field][0]) == folded(value)
            for person in persons
            for act in self.acts.get(person, ())
        )


def _mine(lab: Lab, human: str) -> list[Row]:
    return [row for world in sorted(lab.worlds()) for row in lab.rows(world) if row.values["last_name"] == human]


def _linked(lab: Lab, memory: Memory, human: str) -> tuple[list[Row], set[int], list[LinkRow]]:
    rows = _mine(lab, human)
    known = [(row, memory.link(row)) for row in rows]
    every = [link for _, link in known if link is not None]
    return [row for row, link in known if link is not None and link.state == "linked"], {link.person for link in every if link.person is not None}, every


def agreed(lab: Lab, memory: Memory, human: str, names: Sequence[str] = (*FIELDS, "email", "stage")) -> Iterator[str]:
    """All linked records say the same, everybody has one in each world unless it was deleted, and nobody is forgotten."""
    rows, persons, every = _linked(lab, memory, human)
    for row in _mine(lab, human):
        link = memory.link(row)
        if link is None or link.state not in ("linked", "parked"):
            yield f"{human}: {row.world} {row.id} is {link.state if link else 'unknown'}"
    asked = memory.held(persons, every, "record")
    if len(persons) > 1 and not asked:
        yield f"{human}: is {len(persons)} people"
    for name in names:
        said = {folded(row.values.get(name)) for row in rows if name in row.values}
        if name == "stage":
            said = {_common(value) for value in said}
        if len(said) > 1 and not memory.held(persons, every, name):
            yield f"{human}: {name} differs: " + ", ".join(f"{row.world} {row.id} {row.values.get(name)!r}" for row in rows)
    for world in sorted(lab.worlds()):
        deleted = any(where == world and whose == human for (where, _), whose in lab.deleted.items())
        if rows and not deleted and not asked and not memory.held(persons, every, "email") and not any(row.world == world for row in rows):
            yield f"{human}: has no record in {world}"


def _common(stage: str | None) -> str | None:
    """What both vendors can say: HubSpot has no SAL, a Lead nothing beyond SQL."""
    return {"sal": "mql", "opportunity": "sql"}.get(stage or "", stage)


def kept(lab: Lab, memory: Memory, human: str) -> Iterator[str]:
    """Each record's last typed value is everywhere, or somebody typed over it, or a rule overruled it, or it is held."""
    rows, persons, every = _linked(lab, memory, human)
    theirs = [doing for doing in lab.doings if doing.human == human]
    for name in (*FIELDS, "email"):
        if memory.held(persons, every, name):
            continue
        mine = [doing for doing in theirs if doing.field == name]
        for row in rows:
            last = next((doing for doing in reversed(mine) if (doing.world, doing.id) == (row.world, row.id)), None)
            if last is None or (last.value is None and not last.met) or all(folded(each.values[name]) == folded(last.value) for each in rows):
                continue
            if last.number not in lab.windows and not _typed_over(mine, last) and not memory.overruled(persons, name, last.value):
                now = ", ".join(f"{each.world} {each.values[name]!r}" for each in rows)
                yield f"{human}: {name} {last.value!r} typed in {row.world} {row.id} is lost: {now}"
    if human not in lab.lowered and not memory.held(persons, every, "stage"):
        told = [
            doing
            for doing in theirs
            if doing.field == "stage" and doing.number not in lab.windows and any((row.world, row.id) == (doing.world, doing.id) for row in rows)
        ]
        furthest = max((LINE.index(str(_common(doing.value))) for doing in told if doing.value in LINE), default=-1)
        for row in rows:
            if row.values.get("stage") in LINE and LINE.index(str(_common(row.values["stage"]))) < furthest:
                yield f"{human}: the stage of {row.world} {row.id} is {row.values['stage']}, lower than {LINE[furthest]}"


def _typed_over(mine: list[Doing], last: Doing) -> bool:
    """Somebody saw the value and typed another; or it was typed back between two looks, which nobody can see."""
    over = [doing for doing in mine if folded(doing.before) == folded(last.value)]
    back = [doing for doing in over if (doing.world, doing.id) == (last.world, last.id) and last.run - doing.run <= 1]
    return bool(back) or any(doing.number > last.number for doing in over if doing is not last)


def folded(value: str | None) -> str | None:
    """A vendor may alter the case of what is saved: that is no difference here."""
    return value.casefold() if value is not None else None


def once(lab: Lab, human: str) -> Iterator[str]:
    """The engine made at most one record in each world."""
    for world in sorted(lab.worlds()):
        ours = [row.id for row in _mine(lab, human) if row.world == world and (world, row.id) not in lab.made]
        if len(ours) > 1:
            yield f"{human}: we made {len(ours)} records in {world}: {ours}"


def dead(lab: Lab, human: str) -> Iterator[str]:
    """Whom somebody deleted has no new record there by our doing."""
    for world in sorted(lab.worlds()):
        before = lab.buried.get((world, human))
        for row in _mine(lab, human):
            if before is not None and row.world == world and row.id not in before and (world, row.id) not in lab.made:
                yield f"{human}: was deleted in {world} and is there again as {row.id}"


def silent(lab: Lab, memory: Memory, human: str) -> Iterator[str]:
    """Whoever opted out stays so in every record that can be written."""
    if human not in lab.opted:
        return
    rows, persons, every = _linked(lab, memory, human)
    if _gone_unseen(lab, memory, human, rows, persons):
        return
    for row in rows:
        if row.world == "crm" and not lab.opted_out(row) and not memory.held(persons, every, "email_opt_out"):
            yield f"{human}: opted out, and {row.world} {row.id} does not say so"


def _gone_unseen(lab: Lab, memory: Memory, human: str, rows: list[Row], persons: set[int]) -> bool:
    """Nobody can see it any more and nobody had looked: the record was deleted, or (in HubSpot an opt-out belongs to the address) got another address.

    Or it was set aside beside the person, whose address is another one by now: such a record is heard only as long as it has theirs.
    """
    said = lab.opted[human]
    addresses = {row.values["email"] for row in rows if row.world == said.world}
    readdressed = said.world != "crm" and said.values["email"] not in addresses
    link = memory.link(said)
    aside = link is not None and link.state == "parked" and all(row.values["email"] not in addresses for row in lab.rows(said.world) if row.id == said.id)
    return (readdressed or aside or (said.world, said.id) in lab.deleted) and not any(memory.told(person, "email_opt_out") for person in persons)
