"""What a shadow's rows come to: every row is counted once, in whatever order they come, and a tool is known by what it does."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from stagesync.lifecycle.presets import default_funnel
from stagesync.model.shadow import AGAIN, ALONE, FIRST, MOOT, OPEN, OTHER, SAME, ShadowRow
from stagesync.sync.shadows.shadow_count import count

FUNNEL = default_funnel()
STAGES = ("lead", "mql", "sql")
TOOL, PERSON, MIXED = "integration 25200", "user 1", "user 2"


def row(verdict: str = OPEN, field: str = "city", author: str | None = None, *, brought: bool = False, backlog: bool = False, **more: object) -> ShadowRow:
    """One row of account 1, whose others write there too."""
    edited = verdict in (FIRST, ALONE)
    made = ShadowRow(0, 1, 1, 1, "edit" if edited else "update", field, "lead", None if verdict == ALONE else "sql", 1, "because", False, backlog, 0, 60_000)
    return made._replace(verdict=verdict, author=author, written_in=None if author is None else 1, brought=brought, theirs="mql", at=900_000, **more)


rows = st.lists(
    st.builds(
        row,
        st.sampled_from((OPEN, SAME, OTHER, AGAIN, MOOT, FIRST, ALONE)),
        st.sampled_from(("city", "stage")),
        st.sampled_from((None, "", TOOL, PERSON, MIXED)),
        brought=st.booleans(),
        backlog=st.booleans(),
    ),
    max_size=30,
)


@settings(max_examples=60)
@given(rows)
def test_every_row_is_counted_once(found: list[ShadowRow]) -> None:
    """Of what came since the beginning each row is in one group, but for what people did by themselves; the rest is the backlog. The order changes nothing."""
    counted = count(found, FUNNEL)
    flow = [each for each in found if not each.backlog]
    alone = sum(each.verdict == ALONE for each in flow)
    grouped = sum(group.count for group in counted.groups.values())
    assert len(flow) - alone <= grouped <= len(flow)
    assert sum(total for total, _ in counted.backlog.values()) == len(found) - len(flow)
    assert sum(sum(each.values()) for each in counted.table().values()) == grouped
    other = count(sorted(found, key=repr), FUNNEL)
    assert {key: group.count for key, group in other.groups.items()} == {key: group.count for key, group in counted.groups.items()}
    assert (other.writers, other.lag, other.by_hand) == (counted.writers, counted.lag, counted.by_hand)


def test_a_user_who_only_brings_over_is_a_tool() -> None:
    """Salesforce names users only: one who brought over three values and did little else is a tool, one who did it twice, or mostly edits, is a person."""
    copies = [row(SAME, author="user 7", brought=True) for _ in range(4)]
    few = [row(SAME, author="user 8", brought=True) for _ in range(2)]
    edits = [row(SAME, author="user 9", brought=True) for _ in range(4)] + [row(ALONE, author="user 9") for _ in range(2)]
    found = count([*copies, row(ALONE, author="user 7"), *few, *edits], FUNNEL)
    assert [(each.author, each.tool) for each in found.writers] == [("user 7", True), ("user 8", False), ("user 9", False)]
    assert found.by_hand == 6
    assert {key.fate: group.count for key, group in found.groups.items()} == {"same": 10, "alone": 1}


def test_an_integration_that_only_enriches_is_no_sync_tool() -> None:
    """It brings nothing over: what it writes is an edit like anybody's, which would have been carried on."""
    assert count([row(ALONE, author="integration 4711") for _ in range(5)], FUNNEL).groups == {}


def test_stages_that_the_tool_lowers_are_counted() -> None:
    """From where the person would have been, or from where they were."""
    tool = [row(SAME, author=TOOL, brought=True) for _ in range(3)]
    moved = [row(AGAIN, "stage", TOOL, brought=True), row(OTHER, "stage", TOOL), row(ALONE, "stage", TOOL, lowers=True), row(OTHER, "stage", PERSON)]
    found = count([*tool, *moved], FUNNEL)
    assert sum(group.count for key, group in found.groups.items() if key.lowered) == 3
