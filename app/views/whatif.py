"""`stagesync whatif`: what a changed configuration would do to everybody who is stored."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from ...sync.people.holds import spelled
from ...sync.planning.whatif import Outlook
from . import words

_TOP = 12


def whatif_text(found: Outlook, config: Path) -> list[str]:
    """Stages first, then rules, questions and writes, as lines."""
    lines = [f"{config} replayed over {words.count(found.people, 'person', 'people')} as they are stored: no system was asked, and nothing was written."]
    if found.same:
        lines.append("Its maps, funnel and rules mean what those of the last run meant. Teams, [sla] and guards only count for what happens from now on.")
    told = f"Something would change for {words.count(found.touched, 'person', 'people')}, with the next sync."
    lines.append(told if found.touched else "Nothing would change.")
    if found.due:
        waits = "waits" if found.due == 1 else "wait"
        lines.append(f"  {words.count(found.due, 'person', 'people')} {waits} for the next sync in any case; what it does for them is among this.")
    if found.touched:
        lines += [*_stages(found), *_questions(found), *_writes(found)]
    lines += [*_rules(found), *_left(found), *_unread(found)]
    return [*lines, "", f"`stagesync plan --config {config}` reads the systems too, and stores the plan that can then be applied."]


def whatif_json(found: Outlook) -> dict[str, Any]:
    """The same as one object."""
    return {
        "same": found.same,
        "people": found.people,
        "changed": found.touched,
        "due": found.due,
        "stages": [
            {"from": before, "to": after, "people": count, "examples": [{"person": each.person, "email": each.email} for each in found.examples[before, after]]}
            for (before, after), count in found.moves.most_common()
        ],
        "rules": [{"rule": rule, "said": said, "says": says, "people": count} for (rule, said, says), count in found.rules.most_common()],
        "questions": [{"field": name, "reason": reason, "people": count} for (name, reason), count in found.questions.most_common()],
        "no_longer_asked": dict(found.answered),
        "writes": [{"system": system, "what": what, "name": name, "records": count} for (system, what, name), count in sorted(found.writes.items())],
        "left_alone": dict(found.left),
        "unread": [{"system": system, "kind": kind, "native": native, "records": count} for (system, kind, native), count in sorted(found.unread.items())],
    }


def _stages(found: Outlook) -> list[str]:
    if not found.moves:
        return ["", "Nobody's stage would change."]
    rows: list[tuple[str, str, str]] = []
    for (before, after), count in found.moves.most_common(_TOP):
        named = ", ".join(f"{each.email or 'no e-mail'} (p{each.person})" for each in found.examples[before, after])
        rows.append((f"{before} -> {after}", f"{count:,}", f"{named}{', ...' if count > len(found.examples[before, after]) else ''}"))
    several = words.count(found.moves.total(), "person's stage", "people's stages")
    return ["", f"{several} would change", *words.table(rows), *_more(len(found.moves) - _TOP, "move")]


def _rules(found: Outlook) -> list[str]:
    if not found.rules:
        return []
    rows = [(rule, f"{said} -> {says}", words.count(count, "person", "people")) for (rule, said, says), count in found.rules.most_common(_TOP)]
    return ["", "What the qualification rules say: in the last run -> under this configuration", *words.table(rows), *_more(len(found.rules) - _TOP, "line")]


def _questions(found: Outlook) -> list[str]:
    lines: list[str] = []
    if found.questions:
        rows = [(words.label(name), f"{count:,}", spelled(reason)) for (name, reason), count in found.questions.most_common(_TOP)]
        lines += ["", "Somebody would be asked", *words.table(rows), *_more(len(found.questions) - _TOP, "question")]
    if found.answered:
        rows = [(words.label(name), f"{count:,}") for name, count in found.answered.most_common(_TOP)]
        lines += ["", "Would be asked no longer", *words.table(rows)]
    return lines


def _writes(found: Outlook) -> list[str]:
    if not found.writes:
        return ["", "Nothing would be written to any system."]
    lines = ["", "Would be written"]
    for system in sorted({system for system, _, _ in found.writes}):
        fields = Counter({name: count for (where, what, name), count in found.writes.items() if where == system and what == "write"})
        others = Counter({(what, name): count for (where, what, name), count in found.writes.items() if where == system and what != "write"})
        told = [f"{words.label(name)} {count:,}" for name, count in fields.most_common(_TOP)]
        made = [f"{count:,} {name} {'created' if what == 'create' else 'archived'}" for (what, name), count in others.items()]
        rest = ", ..." if len(fields) > _TOP else ""
        lines.append(f"  {system}: {', '.join([*made, *told])}{rest}")
    return lines


def _left(found: Outlook) -> list[str]:
    if not found.left:
        return []
    rows = [(system, words.count(count, "record")) for system, count in sorted(found.left.items())]
    return ["", "Left alone, since the configuration excludes them", *words.table(rows)]


def _unread(found: Outlook) -> list[str]:
    """What nobody knows before the systems are read again."""
    kinds: dict[tuple[str, str], list[str]] = {}
    for system, kind, native in sorted(found.unread):
        kinds.setdefault((system, kind), []).append(native)
    lines = [f"  {system} {kind}: {', '.join(natives[:_TOP])}{', ...' if len(natives) > _TOP else ''}" for (system, kind), natives in kinds.items()]
    return ["", "Not in this, since it was never read: the next sync reads", *lines] if lines else []


def _more(count: int, what: str) -> list[str]:
    return [f"  ... and {words.count(count, 'more ' + what)}"] if count > 0 else []
