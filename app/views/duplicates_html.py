"""A review as one HTML page to look at, mail or print: a card for each group, what differs marked.

Decisions go into the CSV: a page without a script keeps none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from itertools import islice
from typing import TextIO

from ...sync.duplicates.search import Found
from ..courses.review import SHOWN, Cluster, Row
from . import words
from .html_page import whole

SHOWN_GROUPS = 1_000
"""A page with more groups is nothing that somebody reads; the CSV has them all."""
_TITLES = {"emails": "E-mail", "phones": "Phone", "job_title": "Job title"}
_STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1d2430; --soft: #56607a; --rule: #d5dae3; --track: #eef1f6; --mark: #fde8b8; --link: #2563a8; }
@media screen and (prefers-color-scheme: dark) { :root { --paper: #141820; --ink: #e7ebf3; --soft: #a6b0c3; --rule: #343c4b; --track: #202633;
  --mark: #5c4510; --link: #6fa9ec; } }
* { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
body { font: 15px/1.5 Helvetica, Arial, sans-serif; color: var(--ink); background: var(--paper); margin: 1.6rem auto; max-width: 76rem; padding: 0 1rem; }
h1 { font-size: 1.4rem; margin: 0; } p { margin: .3rem 0; } .soft { color: var(--soft); } a { color: var(--link); }
section { border: 1px solid var(--rule); border-radius: .5rem; margin: 1rem 0; overflow-x: auto; break-inside: avoid; }
section h2 { font-size: 1rem; margin: 0; padding: .5rem .9rem; background: var(--track); } h2 code { font-weight: 400; color: var(--soft); }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { padding: .35rem .9rem; border-top: 1px solid var(--rule); text-align: left; vertical-align: top; overflow-wrap: anywhere; }
th { color: var(--soft); font-weight: 600; white-space: nowrap; } mark { background: var(--mark); color: inherit; padding: 0 .2rem; border-radius: .2rem; }
@media print { body { margin: 0; max-width: none; font-size: 12px; } }
"""


def write_html(system: str, found: Found, groups: Iterable[Cluster], file: TextIO) -> None:
    """Write the page."""
    file.write(whole(f"Possible duplicates in {system}", _STYLE, _body(system, found, groups)))


def _body(system: str, found: Found, groups: Iterable[Cluster]) -> Iterator[str]:
    yield f"<h1>Possible duplicates in {escape(system)}</h1>"
    grouped = len({ref for group in found.groups for ref in group.members})
    yield (
        f"<p>{words.count(found.records, 'record')} compared, {words.count(grouped, 'record')} in {words.count(len(found.groups), 'group')}. "
        "A score ranks what to look at: it is no probability, and nothing is merged by it.</p>"
    )
    yield '<p class="soft">In each group, the record that is proposed to survive stands first; what differs from it is marked.'
    yield f"Decisions go into the CSV, by the name of the group: <code>stagesync duplicates find {escape(system)} --out review.csv</code></p>"
    for number, cluster in enumerate(islice(groups, SHOWN_GROUPS), 1):
        yield from _card(number, cluster)
    if len(found.groups) > SHOWN_GROUPS:
        yield f"<p>The {len(found.groups) - SHOWN_GROUPS:,} groups with fewer points are in the CSV only.</p>"


def _card(number: int, cluster: Cluster) -> Iterator[str]:
    columns = [column for column in SHOWN if any(row.told[column] for row in cluster.rows)]
    head = "".join(f"<th>{_TITLES.get(column, column.capitalize())}</th>" for column in columns)
    yield f"<section><h2>{number}. {cluster.score} points <code>{cluster.name}</code></h2><table>"
    yield f"<thead><tr><th>Record</th>{head}<th>Why</th></tr></thead><tbody>"
    for row in cluster.rows:
        cells = "".join(f"<td>{_cell(row, cluster.rows[0], column)}</td>" for column in columns)
        yield f"<tr><td>{_record(row)}</td>{cells}<td>{escape(row.told['why'])}</td></tr>"
    yield "</tbody></table></section>"


def _cell(row: Row, first: Row, column: str) -> str:
    text, against = row.told[column], first.told[column]
    differs = bool(text) and bool(against) and text.casefold() != against.casefold() and column != "changed"
    return f"<mark>{escape(text)}</mark>" if differs else escape(text)


def _record(row: Row) -> str:
    name, link = escape(f"{row.told['kind']} {row.told['id']}"), row.told["link"]
    shown = f'<a href="{escape(link)}" rel="noreferrer">{name}</a>' if link.startswith("https://") else name
    return f"<b>{shown}</b>" if row.survivor else shown
