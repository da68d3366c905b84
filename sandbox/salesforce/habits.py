"""The habits of a Salesforce org that can be switched.

What every org does (read-only converted Leads, one-second stamps, row errors in HTTP 200) is no habit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Habits:
    """How this org behaves. Where the vendor's documents leave it open, both ways can be had.

    `session_s`: real seconds that a session may rest before it expires. `daily_calls`: API calls in 24 real hours.
    `commit_lag_s`: somebody's changes become visible this long after their stamp. `page_rows`: most rows in a query page.
    `hidden_fields`, `locked_fields`: field-level security, as "Lead.HasOptedOutOfEmail". `tracked_fields`: field history.
    `audit_fields`: this user has "Set Audit Fields upon Record Creation", so that a new record may be given its CreatedDate.
    `hidden_objects`: no right to them, or not switched on in this org: they are in no list, and a query of them is refused.
    `hidden_records`: ids of records that are not shared with this user: in no answer, deleted or not, and not to be changed.
    `alters`: "Lead.Title" -> how automation changes what somebody saves there, as `alter.altered` has it; `describe` tells nothing of it.
    `assignment_rules`: active Lead rules give a saved Lead to the queue unless `Sforce-Auto-Assign: FALSE`.
    `bulk_enabled`: the org has the Bulk API. `bulk_chunk_s`: seconds of the world's clock for each `bulk_chunk_rows` rows of a bulk job; 0: it ends at once.
    `bulk_fails_after`: every job fails after so many chunks. `bulk_forgets`: every so many-th row of a job is done and told in no result; 0: none.
    `duplicate_rules`: on creating a person with the e-mail and last name of another. `vary_order`: without ORDER BY the order changes from call to call.
    """

    session_s: float | None = 7200.0
    daily_calls: int = 100_000
    page_rows: int = 2000
    commit_lag_s: float = 0.0
    hidden_fields: frozenset[str] = frozenset()
    locked_fields: frozenset[str] = frozenset()
    audit_fields: bool = False
    hidden_objects: frozenset[str] = frozenset()
    hidden_records: frozenset[str] = frozenset()
    alters: Mapping[str, str] = field(default_factory=dict[str, str])
    tracked_fields: frozenset[str] = frozenset({"Lead.Status"})
    assignment_rules: bool = True
    duplicate_rules: Literal["off", "alert", "block"] = "alert"
    vary_order: bool = True
    bulk_enabled: bool = True
    bulk_chunk_s: float = 0.0
    bulk_chunk_rows: int = 200
    bulk_fails_after: int | None = None
    bulk_forgets: int = 0

    # Open questions, answered the likelier or the nastier way:
    same_values_move_stamps: bool = True
    empty_text_is_null: bool = True
    unknown_field_fails: Literal["call", "row"] = "call"
    condition_compares: Literal["LastModifiedDate", "SystemModstamp"] = "LastModifiedDate"
    ids_sort: Literal["capitals first", "small letters first"] = "capitals first"
    conversion_keeps_opt_out: bool = False
    merge_keeps_opt_out: bool = False
    merge_moves_roles: bool = True
    converted_leads_editable: bool = False
    child_moves_person: bool = False
    conversion_moves_members: bool = True
    reads_parents: bool = False
    duplicate_result_key: str = "duplicateResut"
