"""SOQL that cannot be broken out of, and always fits into a URL."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stagesync.connectors.salesforce import soql
from stagesync.model.errors import ConfigurationError
from stagesync.sandbox.salesforce.soql_parse import Compare, parse_soql

ANYTHING = st.text(alphabet=st.characters(codec=None, exclude_categories=()), max_size=60)
"""Any characters at all: quotes, backslashes, control characters, other scripts, halves of pairs."""


def spoken(condition: str) -> tuple[str, list[object]]:
    """What a condition says: the field and its values."""
    found = parse_soql(f"SELECT Id FROM Lead WHERE {condition}").where
    assert isinstance(found, Compare)
    return found.field, [each.value for each in found.values]


@given(ANYTHING | st.sampled_from(["'", "\\", "\\'", "' OR Id != '", "a\nb", "\u2028", "Müller", "日本", "x\\", "\\u0041", "%_"]))
def test_a_text_means_itself(value: str) -> None:
    """Whatever a value holds, the query says this value and nothing else."""
    assert spoken(f"Email = {soql.text(value)}") == ("Email", [value])


@given(st.lists(ANYTHING, max_size=80), st.integers(600, 3000))
def test_lists_name_every_value_once_and_keep_the_room(values: list[str], room: int) -> None:
    """All parts together name each value exactly once, in order, and none is longer in a URL than allowed."""
    parts = list(soql.lists("Email", values, room))
    assert [value for part in parts for value in spoken(part)[1]] == list(dict.fromkeys(values))
    assert all(len(soql.encoded(part)) <= room for part in parts)


def test_a_text_too_long_for_soql_is_left_out() -> None:
    """No indexed field holds 4,001 characters, so nothing can be found by them."""
    assert list(soql.lists("Email", ["x" * 4001], 9000)) == []


def test_a_value_without_room_is_said() -> None:
    """A query that cannot fit is an error before it is sent, not a 414 after."""
    with pytest.raises(ConfigurationError, match="does not fit"):
        list(soql.lists("Email", ["x" * 500], 100))


@pytest.mark.parametrize("field", ["", "Email; DROP", "Email, Name", "1st", "Account.", "Name FROM Lead", "Ünicode"])
def test_only_names_are_names(field: str) -> None:
    """A field map with anything but an API name never gets into a query."""
    with pytest.raises(ConfigurationError, match="no field"):
        soql.select(["Id", field], "Lead")


@pytest.mark.parametrize(
    ("ms", "literal"), [(1_368_048_000_000, "2013-05-08T21:20:00Z"), (1_368_048_000_007, "2013-05-08T21:20:00.007Z"), (0, "1970-01-01T00:00:00Z")]
)
def test_moments_are_literals_in_utc(ms: int, literal: str) -> None:
    """Milliseconds become an unquoted dateTime literal without a plus sign, which a URL would spoil."""
    assert soql.moment(ms) == literal


def test_all_parts_of_a_read_fit_beside_their_columns() -> None:
    """Long column lists leave less room for ids, and the whole query still fits."""
    columns = ["Id", *(f"Custom_Field_Number_{number}__c" for number in range(150))]
    queries = list(soql.selects(columns, "Contact", "Id", [f"003{number:015d}" for number in range(1000)], "IsDeleted = false"))
    assert len(queries) > 1
    assert all(len(soql.encoded(query)) <= soql.ROOM and query.endswith(" AND IsDeleted = false") for query in queries)


def test_columns_beyond_the_room_are_read_in_another_way() -> None:
    """Paths come first, because only a query can read them; what does not fit is handed back."""
    fields = [*(f"Custom_Field_Number_{number}__c" for number in range(800)), "Account.Name"]
    inside, outside = soql.fitting(fields, ("Id",), "Contact")
    assert inside[0] == "Account.Name"
    assert sorted([*inside, *outside]) == sorted(fields)
    assert outside
    assert len(soql.encoded(soql.select(["Id", *inside], "Contact"))) <= soql.ROOM
    with pytest.raises(ConfigurationError, match="no room"):
        soql.fitting([f"Account.Custom_Field_Number_{number}__c" for number in range(800)], ("Id",), "Contact")
