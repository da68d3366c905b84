"""To which companies a plan would link people, in words."""

from __future__ import annotations

from collections.abc import Iterator

from ...sync.sending.companies import Named
from . import words


def companies_text(system: str, named: Named) -> Iterator[str]:
    """How many people in that system, and what there is of their companies, as lines."""
    yield f"Companies of {system}, looked for by {named.by}: {words.count(named.people, 'person', 'people')} would be linked to one"
    rows = [
        (f"{named.there:,}", "are there"),
        (f"{named.missing:,}", "are not there and would be made" if named.make else 'are not there: nobody is linked (`missing = "leave"`)'),
        (f"{named.several:,}", "may be several records: nobody is linked, and `stagesync errors` names the people"),
        (f"{named.refused:,}", "could not be looked for"),
    ]
    yield from words.table([row for row in rows if row[0] != "0"])
