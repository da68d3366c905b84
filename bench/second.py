"""What becomes of second records at one address where it is known whose each is: which are set aside, and of how many somebody is asked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from stagesync.connectors.salesforce import plugin as salesforce
from stagesync.lifecycle.presets import default_funnel
from stagesync.mapping.compile import compile_maps
from stagesync.mapping.maps import SystemInput
from stagesync.state.links import LinkRow
from stagesync.sync.deciding.copies import unlike
from stagesync.sync.deciding.desk import Desk, Settings, System
from stagesync.sync.deciding.match import Identity, match

from .labelled import Labelled
from .table import Line

_ORG = 1


def by_themselves(data: Labelled) -> Iterator[Line]:
    """What matching does with the records of one address by itself, taken for Leads of one org, the last ones the newest. A score does nothing of the kind."""
    desk = _desk()
    kind = desk.systems[_ORG].map.kinds["lead"]
    at: dict[str, list[LinkRow]] = defaultdict(list)
    for number, (ref, seen) in enumerate(data.leads.items()):
        row = LinkRow(number, _ORG, ref.kind, ref.id, None, "new", number, dict(seen), {}, {}, None, None)
        for key, value in kind.keys(row.seen):
            if key == "email":
                at[value].append(row)

    def identify(row: LinkRow) -> Identity:
        first, last = (None if row.seen[native] is None else str(row.seen[native]) for native in ("FirstName", "LastName"))
        return Identity(last, tuple(value for _, value in kind.keys(row.seen)), first)

    found = [match(group, identify, lambda best, other: not unlike(desk, best, other)) for group in at.values()]
    told = {(asked, right): 0 for asked in (False, True) for right in (False, True)}
    questions = 0
    for each in found:
        asked = {row.id for doubt in each.doubts for row in doubt.others}
        questions += bool(asked)
        for row in each.duplicates:
            told[row.id in asked, data.humans[row.address] == data.humans[each.members[0].address]] += 1
    wrongly = told[False, False]
    yield Line(f"{data.name}: second records set aside without a question", f"{told[False, True]:,} rightly, {wrongly:,} wrongly", "0 wrongly", wrongly == 0)
    yield Line("  asked about, and are the same human, or are not", f"{told[True, True]:,} and {told[True, False]:,}, in {questions:,} questions")
    unlinked = sum(bool(each.ambiguous) for each in found)
    yield Line("  groups of which nobody is linked before an answer (other names)", f"{unlinked:,}")


def _desk() -> Desk:
    """Salesforce's own maps."""
    funnel = default_funnel()
    maps = compile_maps({}, {"crm": SystemInput(salesforce.defaults(), region="US")}, stages=funnel.positions, sides=funnel.sides)
    return Desk({_ORG: System("crm", _ORG, maps.systems["crm"])}, maps, funnel, Settings())
