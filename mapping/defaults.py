"""The format of a connector's default maps, `defaults.toml` beside the connector. The user's configuration is laid over it.

    create_kind = "lead"          # the kind that is created where nobody chose another
    strings = true                # numbers and booleans travel as text (false where left out)
    seconds = true                # moments are stored to the second (false)

    [kinds.lead]
    required = ["LastName"]       # native fields that a create must have
    fallback = { Company = "-" }  # native values for required fields that would be blank (none)
    belongs = { OptOut = "Email" }  # native field -> the native field to whose value it belongs: it is written for that, and only as true (none)
    keys = { email = ["Email"] }  # match key -> native fields with its values; several values of one field are separated by `;`

    [kinds.lead.fields]           # canonical field -> native field
    phone = "Phone"
    company = { field = "Account.Name", write = false }   # readable only
    company_record = { field = "AccountId", shows = ["Account.Name"] } # what a record that it leads to shows with it
    city = ["City", "Town"]       # the first that the account has

    [kinds.lead.stages]
    reason = "Reason__c"          # the field that holds the reason of a side state (none)
    [kinds.lead.stages.values.Status]       # stage or side state -> the values or labels that mean it, the first that the account has is written
    sal = ["Working - Contacted", "SAL"]
    [kinds.lead.stages.ignore]              # values that say nothing about the stage; `true`: all others
    Status = ["Other"]
    [kinds.lead.stages.instead]             # what is written where the account has no value for the stage
    sal = "mql"
    [[kinds.lead.stages.rules]]             # evidence in several fields; the first row that holds counts, before all `values`
    when = { IsConverted = true, Kind__c = ["A", "B"] }    # true: filled, false: blank
    stage = "sql"                           # and / or side = "..."
    closed = true                           # such a record can no longer be written
    least = true                            # instead: the record says this stage or a further one, so that the rule raises and never lowers
    at = "Won_Date__c"                      # with `least`: the field with the time since when that is so; another time says it anew
    [[kinds.lead.stages.write]]             # a stage or side state that is written into several fields
    stage = "sql"                           # or side = "..."
    set = { Status = "Working", Kind__c = "A" }

    [[kinds.lead.signals]]                  # an event that stands in the record's own fields (see `mapping.signals`)
    kind = "form"                           # what happened, in one word
    at = "Last_Form_Date__c"                # the field with its time
    needs = ["Last_Form__c"]                # fields that must be filled; their values and the time make it the same event when it is told again (none)
    attributes = { form = "Last_Form__c" }  # what else is known of it: name -> native field (none)

The stages are those of the default funnel; with another one they are said in its words (`mapping.vocabulary`), and what it has not is left out.

`[systems.NAME.stages.KIND]` in the user's configuration has the same form as `[kinds.KIND.stages]`, with two more words: `replace = true` drops the default
table, and `values.FIELD = false` drops one field from it. `[[systems.NAME.signals.KIND]]` adds to `[[kinds.KIND.signals]]`.
A default that the account does not have is left out, and so is a kind; what a user wrote must be there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Table = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class NativeName:
    """Where a canonical field lives. `path`: where somebody wrote so in the configuration; None for a default.

    `shows`: natives that change with it, since they are read through it.
    """

    native: str
    write: bool = True
    path: str | None = None
    shows: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KindDefaults:
    """One `[kinds.KIND]` table. `fields`: canonical field -> where it may live, the first that the account has counts."""

    fields: Mapping[str, tuple[NativeName, ...]] = field(default_factory=dict[str, tuple[NativeName, ...]])
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    required: tuple[str, ...] = ()
    fallback: Mapping[str, Any] = field(default_factory=dict[str, Any])
    belongs: Mapping[str, str] = field(default_factory=dict[str, str])
    stages: Table = field(default_factory=dict[str, Any])
    signals: tuple[Table, ...] = ()


@dataclass(frozen=True, slots=True)
class Defaults:
    """One connector's `defaults.toml`."""

    create_kind: str | None
    strings: bool
    seconds: bool
    kinds: Mapping[str, KindDefaults]


def parse_defaults(table: Table) -> Defaults:
    """The typed form of a connector's default maps. Raises `KeyError` or `TypeError` for what is not in the format: that is the connector's own fault."""
    return Defaults(
        create_kind=table.get("create_kind"),
        strings=bool(table.get("strings", False)),
        seconds=bool(table.get("seconds", False)),
        kinds={kind: _kind(each) for kind, each in table.get("kinds", {}).items()},
    )


def _kind(table: Table) -> KindDefaults:
    return KindDefaults(
        fields={name: tuple(map(native_name, spec if isinstance(spec, list) else [spec])) for name, spec in table.get("fields", {}).items()},
        keys={key: tuple(natives) for key, natives in table.get("keys", {}).items()},
        required=tuple(table.get("required", ())),
        fallback=dict(table.get("fallback", {})),
        belongs=dict(table.get("belongs", {})),
        stages=table.get("stages", {}),
        signals=tuple(table.get("signals", ())),
    )


def native_name(spec: str | Table, path: str | None = None) -> NativeName:
    """`"Phone"` or `{ field = "Phone", write = false }`."""
    if isinstance(spec, str):
        return NativeName(spec, path=path)
    return NativeName(spec["field"], bool(spec.get("write", True)), path, tuple(spec.get("shows", ())))
