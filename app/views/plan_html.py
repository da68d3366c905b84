"""A plan as one HTML page that needs nothing else: no script, no address outside, and a policy that forbids both."""

from __future__ import annotations

import base64
import hashlib
import shutil
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from html import escape
from itertools import groupby
from tempfile import TemporaryFile
from typing import TextIO, cast

from ...sync.engine import PlanReport
from ...sync.session import Session
from . import words
from .listing import KINDS, Change, each_change
from .plan import plan_text

_STYLE = """
:root { color-scheme: light dark; --line: #8885; --soft: #8881; --accent: #2563eb; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 76rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin: 1.6rem 0 .3rem; }
ul { margin: 0; padding-left: 1.2rem; } li.detail { list-style: none; padding-left: 1.2rem; opacity: .75; font-size: .92rem; }
details { border: 1px solid var(--line); border-radius: .5rem; margin: .5rem 0; }
details details { border: 0; border-top: 1px solid var(--line); border-radius: 0; margin: 0; }
summary { cursor: pointer; padding: .5rem .8rem; font-weight: 600; } summary:hover { background: var(--soft); }
summary .count { color: var(--accent); }
table { border-collapse: collapse; width: 100%; font-size: .87rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .8rem; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
th { position: sticky; top: 0; background: Canvas; } td.before { opacity: .7; } small { opacity: .7; }
code { background: var(--soft); padding: .1rem .3rem; border-radius: .25rem; }
"""
_POLICY = f"default-src 'none'; style-src 'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'; base-uri 'none'; form-action 'none'"
_COLUMNS = ("Person", "Record", "Field", "Before", "After", "Why")
_ORDER = tuple(KINDS)
_DETAIL = ' class="detail"'


@dataclass(slots=True)
class _Part:
    """The rows of one system and kind, on the disk until their turn comes."""

    file: TextIO
    count: int = 0


def write_html(session: Session, report: PlanReport, file: TextIO, *, approvable: bool = True) -> int:
    """Write the page; returns how many changes it shows. `approvable` as in `plan_text`."""
    file.write(
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}"><meta name="viewport" content="width=device-width">'
        f"<title>stagesync: plan {escape(report.digest)}</title><style>{_STYLE}</style></head><body>\n"
    )
    _summary(file, plan_text(session, report, approvable=approvable))
    with ExitStack() as stack:
        parts: dict[tuple[str, str], _Part] = {}
        for _, rows in groupby(each_change(session, report.run), key=lambda change: (change.action, change.kind)):
            changes = list(rows)
            key = (changes[0].system, changes[0].kind)
            if key not in parts:
                spool = TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - closed, and thereby removed, with the stack
                parts[key] = _Part(cast("TextIO", stack.enter_context(spool)))
            part = parts[key]
            part.count += 1
            part.file.writelines(_rows(changes))
        file.write("<h2>Every change</h2>\n")
        for system in sorted({system for system, _ in parts}):
            mine = sorted((key for key in parts if key[0] == system), key=lambda key: _ORDER.index(key[1]))
            total = sum(parts[key].count for key in mine)
            file.write(f'<details open><summary>{escape(system or "to be decided")} <span class="count">{total:,}</span></summary>\n')
            for key in mine:
                _copy(file, parts[key], KINDS[key[1]])
            file.write("</details>\n")
        file.write("</body></html>\n")
        return sum(part.count for part in parts.values())


def _copy(file: TextIO, part: _Part, title: str) -> None:
    file.write(f'<details><summary>{escape(title)} <span class="count">{part.count:,}</span></summary>\n<table><thead><tr>')
    file.write("".join(f"<th>{name}</th>" for name in _COLUMNS))
    file.write("</tr></thead><tbody>\n")
    part.file.seek(0)
    shutil.copyfileobj(part.file, file)
    file.write("</tbody></table></details>\n")


def _summary(file: TextIO, lines: list[str]) -> None:
    """The text's sections: an empty line begins one, its first line is the heading."""
    file.write(f"<h1>{escape(lines[0])}</h1>\n")
    for blank, group in groupby(lines[1:], key=lambda line: not line):
        if blank:
            continue
        heading, *rest = group
        file.write(f"<h2>{escape(heading)}</h2>\n<ul>\n")
        file.writelines(f"<li{_DETAIL if line.startswith('   ') else ''}>{escape(line.strip())}</li>\n" for line in rest)
        file.write("</ul>\n")


def _rows(changes: list[Change]) -> Iterable[str]:
    first = changes[0]
    if first.kind == "create":
        told = ", ".join(f"{words.label(change.field)} {words.value(change.after)}" for change in changes)
        yield _row(first, "", "", told)
        return
    for change in changes:
        before = str(change.before) if change.kind == "held" else words.value(change.before)
        yield _row(change, words.label(change.field), before, "" if change.kind == "held" else words.value(change.after))


def _row(change: Change, field: str, before: str, after: str) -> str:
    number = f"p{change.person}" if change.person is not None else ""
    person = f"{escape(change.who)}<br><small>{escape(' '.join(part for part in (change.email, number) if part))}</small>"
    why = f"{escape(words.reason(change.reason))} <code>{escape(change.question)}</code>" if change.question else escape(words.reason(change.reason))
    record = "new" if change.kind == "create" else change.record
    cells = (person, escape(record), escape(field), escape(before), escape(after), why)
    return '<tr><td>{}</td><td>{}</td><td>{}</td><td class="before">{}</td><td>{}</td><td>{}</td></tr>\n'.format(*cells)
