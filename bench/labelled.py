"""Data sets in which it is known whose each record is: dupehell's CRM contacts, with hard negatives, and the FEBRL sets that come with recordlinkage.

`make labelled` installs them; the program and its tests do without. Of recordlinkage only the files are used, so none of its libraries is needed.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from stagesync.mapping.fields import Unmappable
from stagesync.mapping.phones import phone_reader
from stagesync.mapping.text import read_email
from stagesync.model.records import Ref, Values
from stagesync.sync.duplicates.profile import Profile

SEED = 7
_LEAD = {
    "FirstName": "first_name",
    "LastName": "last_name",
    "Email": "email",
    "Phone": "phone",
    "Title": "job_title",
    "Company": "company_name",
    "City": "city",
    "State": "state_code",
    "Country": "country_code",
    "LeadSource": "lead_source",
}
"""Field of a Lead -> dupehell's column."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """Records, whose each is, and those that look like somebody else's on purpose. `leads`: the same records as Leads of Salesforce, where that can be said."""

    name: str
    profiles: list[Profile]
    humans: Mapping[Ref, str]
    hard: frozenset[Ref] = frozenset()
    leads: Mapping[Ref, Values] = field(default_factory=dict[Ref, Values])


def missing() -> list[str]:
    """What is not installed."""
    return [name for name in ("arro3.io", "dupehell", "recordlinkage") if find_spec(name.partition(".")[0]) is None]


def dupehell_crm(size: int, difficulty: str) -> Labelled:
    """The contacts of dupehell's CRM domain. Its leads mirror the contacts under other labels, so they are left out."""
    with TemporaryDirectory() as folder:
        made = import_module("dupehell").generate(domain="crm", size=size, seed=SEED, difficulty=difficulty, output_dir=folder)
        contacts = [row for row in _parquet(made.dataset) if row["entity_type"] == "contact"]
        truth = {row["record_id"]: row for row in _parquet(made.ground_truth)}
    read_phone = phone_reader(None, None)
    profiles: list[Profile] = []
    for row in contacts:
        phone = cast("str | None", read_phone(row["phone"], {}))
        ref, address = Ref("lead", row["record_id"]), _address(row["email"])
        addresses, phones = (address,) if address else (), (phone,) if phone else ()
        profiles.append(Profile(ref, row["first_name"], row["last_name"], row["company_name"], addresses, phones))
    humans = {each.ref: truth[each.ref.id]["master_id"] for each in profiles}
    hard = frozenset(each.ref for each in profiles if truth[each.ref.id]["match_type"] == "hard_neg")
    leads = {Ref("lead", row["record_id"]): {native: row[column] for native, column in _LEAD.items()} for row in contacts}
    return Labelled(f"dupehell CRM, {difficulty}", profiles, humans, hard, leads)


def febrl(number: int, *, numbered: bool) -> Labelled:
    """One of the FEBRL sets, which have no e-mail, phone or company: street and suburb stand for the company.

    `numbered`: the social security number stands for a phone.
    """
    found = find_spec("recordlinkage")
    folder = Path((found.submodule_search_locations or [""])[0]) if found is not None else Path()
    with (folder / "datasets" / "febrl" / f"dataset{number}.csv").open(newline="") as file:
        rows = [{key.strip(): (value or "").strip() or None for key, value in row.items()} for row in csv.DictReader(file)]
    profiles: list[Profile] = []
    for row in rows:
        place = " ".join(filter(None, (row["address_1"], row["suburb"]))) or None
        phones = (row["soc_sec_id"],) if numbered and row["soc_sec_id"] else ()
        profiles.append(Profile(Ref("contact", str(row["rec_id"])), row["given_name"], row["surname"], place, (), phones))
    told = "names, street, suburb" + (", number" if numbered else "")
    return Labelled(f"FEBRL {number} ({told})", profiles, {each.ref: each.ref.id.split("-")[1] for each in profiles})


SETS: tuple[Callable[[], Labelled], ...] = (
    *(lambda difficulty=difficulty: dupehell_crm(5_000, difficulty) for difficulty in ("light", "medium", "hell")),
    *(lambda number=number, numbered=numbered: febrl(number, numbered=numbered) for number in (1, 3) for numbered in (False, True)),
)


def _parquet(path: str) -> Iterator[dict[str, Any]]:
    table = import_module("arro3.io").read_parquet(path).read_all()
    columns = [table.column(name).to_pylist() for name in table.column_names]
    return (dict(zip(table.column_names, row, strict=True)) for row in zip(*columns, strict=True))


def _address(native: str | None) -> str | None:
    try:
        return cast("str | None", read_email(native, {}))
    except Unmappable:
        return None
