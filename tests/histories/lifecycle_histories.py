"""Random histories under rules, an agreement on acceptance and authority: people are also put aside, taken back, cleared, and questions are answered.

`ledgered` says whether the ledger tells the truth afterwards, whatever failed on the way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any, Literal

from histories import History
from lab import Lab
from oracle import ROUNDS, Memory, agreed, once, present, proved
from somebody import FIELDS

from stagesync.lifecycle.authority import Authority
from stagesync.lifecycle.policy import Policy
from stagesync.lifecycle.presets import default_funnel
from stagesync.lifecycle.rules.rulebook import read_rulebook
from stagesync.lifecycle.sla import read_sla
from stagesync.state import entries, people
from stagesync.state.entries import BACK, GONE, EntryRow
from stagesync.state.people import PersonRow
from stagesync.sync.people import holds
from stagesync.sync.people.answers import resolve
from stagesync.sync.session import Session

RULES: Sequence[dict[str, Any]] = (
    {"name": "fits", "stage": "mql", "when": "contains(job_title, '1', '3', '5')", "mode": "apply"},
    {"name": "near", "stage": "sal", "from": ["mql"], "when": "contains(city, '2', '4', '6')", "else_reason": "too far away", "mode": "apply"},
    {"name": "interns", "stage": "disqualified", "from": ["lead", "mql", "sal"], "when": "contains(first_name, '7')", "reason": "an intern", "mode": "apply"},
    {"name": "ripe", "stage": "sql", "from": ["sal"], "when": "contains(first_name, '2', '8')", "mode": "hold"},
    {"name": "stale", "stage": "nurture", "from": ["mql"], "when": "days_in_stage >= 1", "mode": "apply"},
)
WEEK: dict[str, Any] = {"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "open": "00:00", "close": "24:00"}
STATUSES = (
    "Recycled",
    "Recycled",
    "Closed - Not Converted",
    "Marketing Qualified",
    "Marketing Qualified",
    "Nurturing",
    "Working - Contacted",
    "Open - Not Contacted",
)
ASIDE = ("UNQUALIFIED", "BAD_TIMING", "")


def policy(*, unauthorised: Literal["hold", "put back"], breach: str, also: Sequence[str]) -> Policy:
    """All three at once. `also`: the teams that may let people into MQL and SQL beside their own."""
    mistakes: list[str] = []
    funnel = default_funnel()

    def tell(path: str, what: str, _: str = "") -> None:
        mistakes.append(f"{path}: {what}")

    rules = read_rulebook({"qualify": list(RULES)}, funnel, [*FIELDS, "email"], str, tell)
    sla = read_sla({"sla": {"from": ["mql"], "to": "sal", "hours": 1, "breach": breach, "proposal": "recycled", **WEEK}}, funnel, tell)
    assert not mistakes, mistakes
    named = {"mql": frozenset(also), "sql": frozenset(also)}
    return Policy(Authority(systems={"hub": "marketing", "crm": "sales"}, also=named, unauthorised=unauthorised), rules, sla)


class Ruled(Lab):
    """A lab under a policy."""

    def __init__(self, folder: Path, under: Policy, **options: Any) -> None:
        self.under = under
        super().__init__(folder, **options)

    def reopened(self) -> Session:
        """The same after a restart: the configuration has not changed."""
        session = super().reopened()
        return replace(session, desk=replace(session.desk, policy=self.under))


@dataclass(slots=True)
class Life(History):
    """A history in which the lifecycle is what people are busy with."""

    def __post_init__(self) -> None:
        self.deeds.update({"edit": 8, "stage": 6, "lower": 3, "aside": 14, "blank": 2, "answer": 12})

    def _aside(self) -> None:
        """Somebody puts a person aside, or takes them back."""
        row = self._any()
        if row is None:
            return
        back = self.random.random() < 0.7
        try:
            if row.kind == "Lead":
                status = "Marketing Qualified" if back and row.values["stage"] in ("Recycled", "Nurturing") else self.random.choice(STATUSES)
                self.lab.crm.edit(row.id, {"Status": status})
            elif row.world != "crm":
                before = next(each for each in self.lab.worlds()[row.world].contacts() if each["id"] == row.id)["properties"].get("hs_lead_status")
                status = "" if back and before else self.random.choice(ASIDE)
                self.lab.worlds()[row.world].edit(row.id, {"hs_lead_status": status})
            else:
                return
        except (ValueError, LookupError) as refused:
            self.lab.story.append(f"     (refused: {refused})")
            return
        self.lab.story.append(f"     {row.world} {row.kind} {row.id} ({row.values['last_name']}): status {status!r}")

    def _blank(self) -> None:
        """Somebody clears a stage."""
        row = self._any("contact")
        if row is not None:
            self.lab.worlds()[row.world].edit(row.id, {"lifecyclestage": ""})
            self.lab.story.append(f"     {row.world} {row.id} ({row.values['last_name']}): stage cleared")

    def _answer(self) -> None:
        """Somebody answers a question about a stage. Never while a run is under way: it would hold the lease."""
        if self.lab.dead or self.lab.running:
            return
        with self.lab.store.read() as tx:
            open_ones = [group for group in holds.groups(tx, self.lab.session.workspace) if group.about in ("stage", "proposal")]
        if open_ones:
            group = self.random.choice(open_ones)
            use = self.random.choice(group.uses)
            resolve(self.lab.store, self.lab.session.workspace, group.id, use, None, self.lab.clock.now_ms())
            self.lab.story.append(f"     {group.title!r} is answered: {use}")


def calmed(lab: Lab) -> Iterator[str]:
    """What is wrong after the trouble is over: nothing, or sentences. Days pass, so that rules and clocks speak as well, and then nothing more happens."""
    for _ in range(3):
        yield from _at_rest(lab)
        lab.later(90_000)
    yield from proved(lab)
    yield from present(lab)
    memory = Memory(lab)
    for human in sorted({doing.human for doing in lab.doings} - lab.tainted):
        yield from agreed(lab, memory, human, (*FIELDS, "email"))
        yield from once(lab, human)
    yield from ledgered(lab)


def _at_rest(lab: Lab) -> Iterator[str]:
    for _ in range(ROUNDS):
        report = lab.round()
        if report is None or report.error is not None:
            yield f"a run without trouble stopped: {report.error if report else lab.story[-1]!r}"
            return
        if report.writes == 0 and report.new_holds == 0:
            return
    yield f"not quiet after {ROUNDS} rounds"


def ledgered(lab: Lab) -> Iterator[str]:
    """Everybody's stays lead, one after the other, to where they are; each change of the stage is one of them."""
    with lab.store.read() as tx:
        everybody = people.each(tx, lab.session.workspace, 0, 10_000)
        ledger = entries.of_people(tx, [row.id for row in everybody])
        written = len(entries.each(tx, lab.session.workspace, 0, 100_000))
    if written != sum(map(len, ledger.values())):
        yield f"the ledger has {written} rows, and {sum(map(len, ledger.values()))} of people who are known"
    for row in everybody:
        yield from (f"p{row.id}: {wrong}" for wrong in _told(row, ledger.get(row.id, [])))


def _told(row: PersonRow, stays: Sequence[EntryRow]) -> Iterator[str]:
    moved = [stay for stay in stays if stay.origin not in (GONE, BACK)]
    if len(moved) != row.stage_version:
        yield f"version {row.stage_version} of the stage, {len(moved)} moves"
    if not stays:
        return
    last = entries.lived(stays)[-1]
    if (last.stage, last.side, last.reason, last.pass_no) != (row.stage, row.side, row.reason, row.pass_no):
        yield f"stands at {row.stage, row.side, row.reason, row.pass_no}, the ledger says {last}"
    if [stay.left_seen is None for stay in stays] != [False] * (len(stays) - 1) + [True]:
        yield f"the open stays are {[stay for stay in stays if stay.left_seen is None]}"
    for number, (one, other) in enumerate(pairwise(stays)):
        if other.origin == BACK and (one.origin != GONE or not number or _place(stays[number - 1]) != _place(other)):
            yield f"{other} came back, and followed {stays[:number]}"
        if (one.left_at, one.left_seen) != (other.entered_at, other.entered_seen):
            yield f"a gap between {one} and {other}"
        if one.entered_at is not None and other.entered_at is not None and other.entered_at < one.entered_at:
            yield f"{other} began before {one}"
        if not one.pass_no <= other.pass_no <= one.pass_no + 1:
            yield f"pass {other.pass_no} follows {one.pass_no}"
        if _place(one) == _place(other) and other.origin != GONE:
            yield f"the same place twice: {one} and {other}"
    running = [stay for stay in stays if stay.due_at is not None and stay.met is None]
    if len(running) > 1 or any(stay.pass_no != row.pass_no for stay in running):
        yield f"clocks run that should not: {running}"
    if any(stay.met is not None and stay.due_at is None for stay in stays):
        yield f"answered without having been asked: {stays}"


def _place(stay: EntryRow) -> tuple[Any, ...]:
    return stay.stage, stay.side, stay.reason, stay.pass_no


def lived(seed: int, folder: Path) -> tuple[list[str], list[str]]:
    """One history from its seed: what is wrong in the end, and the story."""
    folder.mkdir()
    random = Random(seed)
    also = random.choice(((), ("marketing", "sales")))
    under = policy(unauthorised=random.choice(("hold", "put back")), breach=random.choice(("notify", "propose")), also=also)
    lab = Ruled(folder, under, second=seed % 4 == 0)
    try:
        Life(lab, random).live(random.randint(3, 8))
        return list(calmed(lab)), lab.story
    finally:
        lab.store.close()
