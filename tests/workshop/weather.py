"""How the vendors behave in one history: what they are slow with, what they alter, how their pages are cut, and what a run may change at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random

from stagesync.sandbox.hubspot.habits import Habits as HubSpotHabits
from stagesync.sandbox.salesforce.habits import Habits as SalesforceHabits
from stagesync.sync.deciding.guard import DEFAULT_LIMITS, Limit

TIGHT: Mapping[str, Limit] = {
    **DEFAULT_LIMITS,
    "creates": Limit(1, 0),
    "updates": Limit(2, 0),
    "fills": Limit(2, 0),
    "clears": Limit(0, 0),
    "lowerings": Limit(0, 0),
    "people": Limit(3, 0),
}
"""So little that a few people's work meets a guard."""


@dataclass(frozen=True, slots=True)
class Weather:
    """One history's vendors. `limits`: None where nothing that these few people do comes near the usual ones."""

    hub: HubSpotHabits
    crm: SalesforceHabits
    limits: Mapping[str, Limit] | None


FAIR = Weather(HubSpotHabits(restore_moves_stamp=True), SalesforceHabits(duplicate_rules="off"), None)


def forecast(random: Random) -> Weather:
    """Fair in half of all histories; in the others some of it is bad."""
    if random.random() < 0.5:
        return FAIR
    altered = random.choice((None, None, "hub", "crm"))
    hub = HubSpotHabits(
        restore_moves_stamp=True,
        search_lag_s=random.choice((0.0, 0.0, 4.0, 60.0)),
        page_rows=random.choice((200, 2)),
        backward_stage=random.choice(("ignored", "refused", "applied")),
        batch_update_loses_merged_ids=random.random() < 0.5,
        answer_echoes_ignored_stage=random.random() < 0.5,
        merge_preserves_primary_id=random.random() < 0.5,
        alters={"city": "upper"} if altered == "hub" else {},
    )
    crm = SalesforceHabits(
        duplicate_rules="off",
        commit_lag_s=random.choice((0.0, 0.0, 3.0, 40.0)),
        page_rows=random.choice((2000, 3)),
        same_values_move_stamps=random.random() < 0.5,
        merge_keeps_opt_out=random.random() < 0.5,
        conversion_keeps_opt_out=random.random() < 0.5,
        alters={"Lead.Title": "lower", "Contact.Title": "lower"} if altered == "crm" else {},
    )
    return Weather(hub, crm, TIGHT if random.random() < 0.3 else None)


def by_jobs(weather: Weather, random: Random) -> Weather:
    """The same weather, in which bulk jobs of the org have a pace and accidents of their own."""
    habits = {
        "bulk_chunk_s": random.choice((0.0, 5.0, 60.0, 700.0)),
        "bulk_chunk_rows": random.choice((1, 2, 200)),
        "bulk_fails_after": random.choice((None, None, None, 1)),
        "bulk_forgets": random.choice((0, 0, 0, 1, 2)),
    }
    return replace(weather, crm=replace(weather.crm, **habits))
