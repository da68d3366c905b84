"""How this portal behaves where HubSpot's behaviour is a setting, a matter of timing, or not confirmed by its documentation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal
from zoneinfo import ZoneInfo

ALL_SCOPES = (
    "crm.objects.contacts.read",
    "crm.objects.contacts.write",
    "crm.schemas.contacts.read",
    "crm.schemas.contacts.write",
    "crm.objects.owners.read",
    "crm.objects.companies.read",
    "crm.objects.companies.write",
    "communication_preferences.read_write",
    "crm.export",
    "crm.import",
    "oauth",
)


@dataclass(frozen=True)
class Habits:
    """One portal's habits; the comment above each group says where HubSpot's own answer is open.

    What HubSpot always does has no switch: the cap of 10,000 search results, creates that fail as a whole without trace ids, trimmed
    values, a last-modified stamp that moves on every write, old ids that resolve after a merge.
    """

    # The search index follows writes after this many seconds of the world's clock. HubSpot says "a few moments"; 2 s of lag have been recorded.
    search_lag_s: float = 0.0

    # Limits of a privately distributed app on a Pro account. Off by default, so that a demo on loopback need not wait.
    rate_limit: bool = False
    ten_secondly_max: int = 190
    oauth_ten_secondly_max: int = 110
    search_per_second: int = 5
    daily_max: int = 625_000

    # Exports, on the world's clock. The count per day and the size of files are documented (HubSpot docs, Exports guide); how long one takes is not.
    exports_per_day: int = 30
    export_takes_s: float = 0.0
    """From its turn to its end: the first half it waits, the second it is worked on, with the rows of the first call in that half."""
    export_link_s: float = 300.0
    export_zip_from: int = 2_000_000
    """Bytes of CSV from which on a file is zipped."""
    export_rows_per_file: int = 1_000_000

    # Imports, on the world's clock. How many go on at once and how large a file may be is documented (HubSpot docs, Imports guide); how long one takes is not.
    import_takes_s: float = 0.0
    """From its turn to its end: the first half it waits, in the second its rows are carried out one after the other."""

    # Account settings.
    time_zone: str = "UTC"
    default_stage: str = "lead"
    scopes: tuple[str, ...] = ALL_SCOPES
    merge_preserves_primary_id: bool = False
    required_properties: tuple[str, ...] = ()
    """Required on the account's create form; binds writes from version 2026-09 on."""
    conditional_properties: tuple[tuple[str, str, str], ...] = ()
    """(property, value, required property): binds writes from version 2026-09 on."""
    hidden_properties: tuple[str, ...] = ()
    """What the credential does not see: absent from answers and from the list of properties, and to be written by nobody."""
    locked_properties: tuple[str, ...] = ()
    """What it sees and may not write."""
    alters: Mapping[str, str] = field(default_factory=dict[str, str])
    """Property -> how automation changes what somebody saves in it, as `alter.altered` has it; the definition tells nothing of it."""
    page_rows: int = 200
    """Most rows on a page of a list or search, whatever was asked for."""
    token_life_s: float = 1800.0
    versions_kept: int = 20

    # Not confirmed on a live account: each can be switched both ways.
    backward_stage: Literal["ignored", "applied", "refused"] = "ignored"
    answer_echoes_ignored_stage: bool = False
    stage_options_by_api: bool = False
    email_lookup_finds_secondary: bool = True
    batch_update_loses_merged_ids: bool = True
    batch_read_follows_merges: bool = True
    batch_repeats: Literal["unordered", "refused"] = "unordered"
    upsert_by_email_is_partial: bool = True
    errors_only_in_message: bool = False
    ids_compare_as_text: bool = False
    list_after: Literal["any id", "refused", "ignored", "opaque"] = "any id"
    """What a list makes of an `after` that it has not named itself: it goes on from there, answers 400, or begins anew. Or what it names is no id at all."""
    negative_filters_match_empty: bool = False
    optout_needs_contact: bool = False
    optout_moves_stamp: bool = True
    association_moves_stamp: bool = True
    restore_moves_stamp: bool = False
    refresh_rotates: bool = False
    export_requires_all: bool = False
    """Whether an export must be asked for with every field that the reference requires."""
    second_export: Literal["deferred", "refused"] = "deferred"
    """What an export meets while another one is not done."""
    export_reads_index: bool = False
    """Whether rows, and which there are, are those that the search index knows."""
    export_order: Literal["id", "any"] = "id"
    """Of rows for which no sort was asked."""
    export_id_column: Literal["named", "label", "asked"] = "named"
    """The record's id comes first, under its name or label like other columns, or under its label always; or only where it was asked for."""
    export_moments: Literal["iso", "epoch", "minutes"] = "iso"
    """How moments are spelled where internal values are asked for: as the API does, in milliseconds, or as in exports with labels."""
    export_numbers: Literal["stored", "double"] = "stored"
    export_line_breaks: Literal["kept", "blanks"] = "kept"
    export_bom: bool = False
    import_bad_cell: Literal["blank", "row"] = "blank"
    """Whether a cell that cannot be read is left out of its row, or costs the whole row."""
    import_moments: Literal["iso", "epoch"] = "iso"
    """Whether an import reads moments as the API spells them, or in milliseconds only."""
    import_alters: Mapping[str, str] = field(default_factory=dict[str, str])
    """Property -> what imports make of its cells, as `alter.altered` has it: whoever writes the same by the API finds it unchanged."""

    def __post_init__(self) -> None:
        ZoneInfo(self.time_zone)

    def switched(self, changes: Mapping[str, Any]) -> Habits:
        """These habits with some switched, as posted in JSON (lists become tuples).

        Raises ValueError for an unknown name or another type, LookupError for a time zone that there is not.
        """
        known = {each.name for each in fields(self)}
        unknown = sorted(set(changes) - known)
        if unknown:
            raise ValueError(f"no such habit: {', '.join(unknown)}; known are {', '.join(sorted(known))}")
        frozen = {name: _frozen(value) for name, value in changes.items()}
        for name, value in frozen.items():
            before = getattr(self, name)
            if type(value) is not type(before) and not (isinstance(before, float) and type(value) is int):
                raise ValueError(f"habit {name} is like {before!r}, not {value!r}")
        return replace(self, **frozen)


def _frozen(value: Any) -> Any:
    return tuple(_frozen(part) for part in value) if isinstance(value, list) else value
