"""`stagesync demo`: the main job on two sandbox worlds, told as a story that a stranger can follow. Nothing leaves this machine."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from ...sandbox.worlds import Event, build, story
from ...sync import engine
from ...sync.past.seeding import seed
from ...sync.people import holds
from ...sync.people.answers import resolve
from ...sync.people.holds import Group
from ...sync.people.who import find_people
from ..terminal.summary import nothing_written
from ..views import words
from ..views.holds import group_text
from ..views.plan import plan_text
from ..views.report import report_text
from ..views.run import run_text
from ..views.seeding import seeding_text
from ..views.why import why_text
from .demo_check import Comparison, compare_worlds
from .demo_files import show_files
from .demo_stand import Stand, carried_out, held_addresses, standing

PEOPLE = 3_000


def run_demo(
    console: Console,
    people: int = PEOPLE,
    hubspot_csv: Path | None = None,
    salesforce_csv: Path | None = None,
    out: Path | None = None,
    seed: int = 1,
) -> int:
    """Tell the story; returns 0 only if both laws held. With two export files: show what a sync would do with these, and write the plan to `out`.

    Raises `ConfigurationError` where only one file is given or one cannot be loaded.
    """
    if hubspot_csv is not None or salesforce_csv is not None:
        return show_files(console, hubspot_csv, salesforce_csv, out)
    began = time.monotonic()
    worlds = build(people, seed)
    with standing(worlds, winners=True) as stand:
        tale = Tale(console, stand)
        held = tale.told()
    tale.say("")
    tale.say(f"That took {time.monotonic() - began:.0f} s.")
    tale.say("With your own data:     stagesync demo --hubspot-csv FILE --salesforce-csv FILE")
    tale.say("With your own systems:  stagesync init")
    return 0 if held else 1


class Tale:
    """The story's chapters, in order."""

    def __init__(self, console: Console, stand: Stand) -> None:
        self.console = console
        self.stand = stand
        self.chapter = 0

    def told(self) -> bool:
        """Play all of it; whether both laws held."""
        self.two_systems()
        self.first_sync()
        events = self.a_day()
        self.plan_and_apply()
        self.why(events)
        self.question()
        self.funnel()
        return self.laws()

    def two_systems(self) -> None:
        """Who is there."""
        hubspot, salesforce = self.stand.worlds
        contacts = sum(1 for _ in hubspot.contacts())
        leads, sales_contacts = (sum(1 for _ in salesforce.rows(kind)) for kind in ("Lead", "Contact"))
        self.heading("Two systems that do not agree")
        sales = f"{leads:,} Leads and {sales_contacts:,} Contacts"
        self.lines(words.table([("hubspot", f"{contacts:,} contacts", self.stand.hubspot), ("salesforce", sales, self.stand.salesforce)], 0))
        self.say("Invented people of ten countries, with the dirt of real life: duplicates, shared addresses, converted Leads, stages that differ.")

    def first_sync(self) -> None:
        """Bring them together, and show that nothing is left to do."""
        self.heading("The first sync: read both, match, decide, write both", "stagesync sync --yes")
        self.lines(run_text(self.stand.sync()))
        self.say("")
        self.say("And once more, now that nobody has edited anything:")
        self.lines(run_text(self.stand.sync())[-2:])

    def a_day(self) -> Sequence[Event]:
        """Somebody works in both systems."""
        self.heading("A day of work: people edit, convert, merge and delete, on both sides")
        self.stand.later()
        events = story(*self.stand.worlds)
        self.lines(words.table([(event.system, event.what) for event in events], 0))
        return events

    def plan_and_apply(self) -> None:
        """The plan, then exactly that plan."""
        self.heading("What a sync would do about it", "stagesync plan")
        self.stand.later()
        with self.stand.session("plan") as session:
            planned = engine.plan(session)
            self.lines(plan_text(session, planned))
            self.heading("Carried out as shown", f"stagesync apply --approve {planned.digest}")
            row = engine.load_plan(session, planned.digest)
            self.lines(run_text(carried_out(session, row.id, None)))

    def why(self, events: Sequence[Event]) -> None:
        """One person who was edited on both sides."""
        twice = _edited_twice(events)
        if twice is None:
            return
        self.heading("Why does it say that? One field that both sides changed", f"stagesync why {twice.email} job_title")
        with self.stand.session("why") as session, session.store.read() as tx:
            systems = {each.name: account for account, each in session.systems.items()}
            for person in find_people(tx, session.workspace, systems, twice.email):
                self.lines(why_text(tx, session, person, "job_title"))

    def question(self) -> None:
        """One group of holds, and the answer that resolves it."""
        with self.stand.session("holds") as session:
            with session.store.read() as tx:
                groups = holds.groups(tx, session.workspace)
                chosen = next((group for group in groups if group.kind == "deleted"), None)
                told = group_text(tx, session.desk, chosen) if chosen else []
            if chosen is None:
                return
            self.heading("A question that only somebody can answer", "stagesync holds")
            self.say(f"{words.count(len(groups), 'question is', 'questions are')} open; one answer resolves all its cases. One of them:")
            self.lines(told)
            self.say("")
            self.command(f"stagesync resolve {chosen.id} --use hub")
            self.answer(session.store, session.workspace, chosen)
        self.command("stagesync sync")
        self.lines(run_text(self.stand.sync()))

    def answer(self, store: Any, workspace: int, group: Group) -> None:
        """The person stays."""
        answered = resolve(store, workspace, group.id, "hub", None, self.stand.clock.now_ms())
        self.say(f"{words.count(answered, 'case')} answered: the person stays, so the next sync makes the Lead again.")

    def funnel(self) -> None:
        """The beginning of the report: who stands where, and that the numbers add up; the vendors' own histories tell since when."""
        self.heading("Who stands where, and how long they have been there", "stagesync funnel seed")
        with self.stand.session("funnel seed") as session:
            self.lines(list(seeding_text(seed(session))))
        self.command("stagesync funnel report")
        told = report_text(self.stand.counted(), self.stand.config.workspace)
        self.lines(list(takewhile(bool, told[2:])))

    def laws(self) -> bool:
        """Quiescence and convergence, looked at from the outside."""
        self.heading("Do both laws hold?", "stagesync sync")
        report = self.stand.sync()
        self.lines(run_text(report)[-2:])
        with self.stand.session("demo") as session:
            held = held_addresses(session)
        found = compare_worlds(self.stand.hubspot, self.stand.salesforce, held)
        quiet, agreed = nothing_written(report) is not None, not found.differences and found.people > 0
        self.say("")
        self.say(f"{_tick(quiet)} Quiescence: with nothing edited, the last run wrote nothing ({report.writes:,} writes).")
        self.say(f"{_tick(agreed)} Convergence: {_converged(found)}")
        for difference in found.differences[:10]:
            told = f"hubspot {words.value(difference.hubspot)}, salesforce {words.value(difference.salesforce)}"
            self.say(f"    {difference.email}: {difference.field}: {told}")
        return quiet and agreed

    # -- how it is told

    def heading(self, text: str, command: str = "") -> None:
        """The next chapter."""
        self.chapter += 1
        self.console.print()
        self.console.print(Text(f"{self.chapter}. {text}", style="bold"))
        if command:
            self.command(command)

    def command(self, text: str) -> None:
        """What somebody would type for this."""
        self.console.print(Text(f"   $ {text}", style="cyan"))

    def say(self, text: str) -> None:
        """One line, as it is."""
        self.console.print(Text(f"   {text}" if text else ""), soft_wrap=True)

    def lines(self, texts: Sequence[str]) -> None:
        """Several lines."""
        for text in texts:
            self.say(text)


def _edited_twice(events: Sequence[Event]) -> Event | None:
    """The person whose one field was changed on both sides."""
    titles = {event.email for event in events if event.system == "salesforce" and event.field == "Title"}
    return next((event for event in events if event.field == "jobtitle" and event.email in titles), None)


def _tick(held: bool) -> str:
    return "[yes]" if held else "[NO] "


def _converged(found: Comparison) -> str:
    if found.differences:
        return f"{words.count(len(found.differences), 'difference')} between the two systems, of which the first are"
    aside = f"; {found.held:,} addresses wait for an answer" if found.held else ""
    return f"read from both systems and compared one by one, {found.values:,} values of {found.people:,} people agree{aside}."
