"""What of a workspace's health needs somebody, the gravest first, each with what to do. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ...connectors.manners import plain
from ...model.errors import Unreachable
from ..serving.course import WORDS
from ..serving.notices import IN_A_ROW
from ..views import words
from ..views.schedule import late
from .health import DAY_MS, Health

Verdict: TypeAlias = Literal["well", "asks", "broken"]
MUCH = 0.8
"""Above this share of a day's calls somebody should know."""
UNDELIVERED_MS = 3_600_000
"""An endpoint that did not take an event for so long is down for longer than a deployment takes, or does not want it."""
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that needs somebody. `broken`: something does not work, as against a question that waits. `what`, `how`: plain sentences."""

    broken: bool
    what: str
    how: str


def needs(found: Health) -> list[Need]:
    """All of them; what is broken comes first."""
    told = [*_setup(found), *_service(found), *_last_run(found), *_systems(found), *_people(found)]
    return sorted(told, key=lambda need: not need.broken)


def verdict(found: Sequence[Need]) -> Verdict:
    """The whole in a word."""
    return "broken" if any(need.broken for need in found) else "asks" if found else "well"


def sentence(found: Sequence[Need]) -> str:
    """The whole in a sentence."""
    match verdict(found):
        case "well":
            return "All is well: nothing needs you."
        case "asks":
            return f"It works; {words.count(len(found), 'thing waits', 'things wait')} for somebody."
        case "broken":
            broken = sum(need.broken for need in found)
            rest = f", and {words.count(len(found) - broken, 'thing waits', 'things wait')} for somebody" if len(found) > broken else ""
            return f"{words.count(broken, 'thing does', 'things do')} not work{rest}."


def _setup(found: Health) -> Iterator[Need]:
    if not found.synced:
        yield Need(False, "This workspace was never synced.", "Look at `stagesync plan`, then run `stagesync sync`.")


def _service(found: Health) -> Iterator[Need]:
    row = found.standing.row
    if row is None:
        return
    if row.began_at is not None and row.broken_off and late(found.standing):
        what = f"A run began {words.span(found.now - row.began_at)} ago and has not ended; the next was due {words.span(found.now - row.due_at)} ago."
        yield Need(False, what, "If `stagesync serve` runs, it is at work; else start it again, and it goes on.")
    elif late(found.standing):
        yield Need(True, f"The next run was due {words.span(found.now - row.due_at)} ago.", "Is `stagesync serve` running? Start it again.")
    if row.failures and not row.broken_off:
        again = f", {row.failures:,} times in a row" if row.failures > 1 else ""
        what, _, how = (row.reason or "").partition("\n")
        remedy = how.partition("->")[2].partition("\n")[0].strip()
        passing = row.outcome == WORDS[Unreachable.exit_code] and row.failures < IN_A_ROW
        told = f"The last run of the service failed ({row.outcome}{again}): {plain(what, _LONGEST) or 'no reason was kept'}."
        yield Need(not passing, told, _sentence(remedy or "see its log"))


def _last_run(found: Health) -> Iterator[Need]:
    last = next(iter(found.runs), None)
    if last is None:
        return
    if last.state in ("stopped", "broken"):
        ended = "was stopped before its end" if last.state == "stopped" else "broke off"
        yield Need(True, f"Run {last.id} {ended}.", "The next run goes on from there: `stagesync sync`.")
    stops = last.counts.get("stops", ())
    if last.state == "planned" and stops:
        reasons = "; ".join(str(sentence) for _, sentence in stops)
        yield Need(False, f"The plan of run {last.id} waits for approval: {reasons}.", f"Look at it, then `stagesync apply --approve {last.digest}`.")


def _systems(found: Health) -> Iterator[Need]:
    for each in found.freshness:
        if found.synced and each.read_at is None:
            yield Need(True, f"{each.system} was never read to its end.", "`stagesync check` tells what stands in the way.")
        elif found.synced and each.stale:
            old = f"{each.system} was last read {words.span(each.age_ms)} ago: nobody knows what was edited there since."
            yield Need(True, old, "Run `stagesync sync`; `stagesync check` tells what stands in the way.")
    for quota in found.quota:
        if quota.share >= MUCH and found.now - quota.at < DAY_MS:
            told = f"{quota.system} had {quota.used:,} of {quota.limit:,} API calls of the day used at {words.moment(quota.at)[:16]} UTC."
            yield Need(False, told, "A slower timetable in [schedule] needs fewer; see who else uses them.")


def _people(found: Health) -> Iterator[Need]:
    writes, events = (sum(each.count for each in found.refused if each.what == what) for what in ("write", "event"))
    if writes:
        yield Need(False, f"{words.count(writes, 'write was', 'writes were')} refused for good.", "`stagesync errors` tells what helps against each.")
    if events:
        yield Need(False, f"{words.count(events, 'event')} could not be understood or delivered.", "`stagesync errors` tells what helps against each.")
    for queue in found.events:
        if queue.ours_since is not None and found.now - queue.ours_since > UNDELIVERED_MS:
            told = f"{words.count(queue.ours, 'event waits', 'events wait')} for {queue.system}, the first for {words.span(found.now - queue.ours_since)}."
            yield Need(False, told, "See what its endpoint says: `stagesync errors` will, once they are given up after a day.")
    if found.cases:
        asked = words.count(len(found.holds), "question")
        yield Need(False, f"{words.count(found.cases, 'case is', 'cases are')} held, in {asked}.", "`stagesync holds` shows them; one answer resolves a group.")
    sla = found.acceptance
    if sla is not None and sla.unanswered:
        more = " or more" if sla.most else ""
        people = words.count(sla.unanswered, "person", "people")
        still = "waits" if sla.unanswered == 1 else "wait"
        yield Need(False, f"{people}{more} waited longer for acceptance than agreed, and still {still}.", "`stagesync sla` names them.")
    if found.unmapped:
        yield Need(
            False,
            f"Nobody mapped {words.count(found.unmapped, 'stage value')}: {'it claims' if found.unmapped == 1 else 'they claim'} nothing.",
            "`stagesync check` shows the line that would map each.",
        )


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
