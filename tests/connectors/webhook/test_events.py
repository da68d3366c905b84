"""What events mean: parts of records in the order in which they happened, signals, deletions; and what cannot be understood is set aside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hook_stand import settings
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from teller import Teller

from stagesync.connectors.webhook.events import Poison, Reader
from stagesync.connectors.webhook.settings import EventTable
from stagesync.model.events import Event, Told
from stagesync.model.records import Page, Record, Ref, Signal

ANNA = Ref("contact", "u1")


@pytest.fixture
def product(tmp_path: Path) -> Iterator[Teller]:
    """A product that has told nothing yet."""
    teller = Teller(tmp_path)
    with closing(teller.connector):
        yield teller


def told_of(pages: Sequence[Page], ref: Ref = ANNA) -> Mapping[str, Any]:
    """What the pages tell of a record, one after the other."""
    return {name: value for page in pages for record in page.records if record.ref == ref for name, value in record.values.items() if value is not None}


def test_events_become_parts_of_records(product: Teller) -> None:
    """What was never told is blank, and the empty text is too; of plan nobody asked."""
    product.person("u1", {"email": "a@x.example", "phone": "1", "first_name": None, "plan": "x"}, at=1_000)
    product.tell({"type": "stage", "id": "u1", "stage": "pql", "at": 2_000})
    page = product.pull()[0]
    unsaid = {"last_name": None, "job_title": None}
    assert page.records == [Record(ANNA, 2_000_000, {"email": "a@x.example", "phone": "1", "first_name": None, "stage": "pql", **unsaid})]


def test_a_late_event_takes_nothing_back(product: Teller) -> None:
    """Field by field: an older word about the phone is passed over, about another field it is news, and the stamp does not go back."""
    product.person("u1", {"phone": "new", "email": "a@x.example"}, at=10_000)
    cursor = product.pull()[-1].cursor
    product.person("u1", {"phone": "old", "last_name": "Late"}, at=5_000)
    pages = product.pull(cursor)
    assert pages[0].records == [Record(ANNA, 10_000_000, {"last_name": "Late", "first_name": None, "job_title": None, "stage": None})]


def test_what_was_deleted_comes_back_by_a_later_word_only(product: Teller) -> None:
    """What happened before the deletion is passed over; a deletion that is late is too."""
    product.person("u1", {"phone": "1"}, at=1_000)
    product.tell({"type": "deleted", "id": "u1", "at": 3_000})
    cursor = product.pull()[-1].cursor
    product.person("u1", {"phone": "2"}, at=2_000)
    pages = product.pull(cursor)
    assert told_of(pages) == {}
    product.person("u1", {"phone": "3"}, at=4_000)
    product.tell({"type": "deleted", "id": "u1", "at": 3_500})
    pages = product.pull(pages[-1].cursor)
    assert told_of(pages) == {"phone": "3"}
    assert not any(page.gone for page in pages)


TOLD = [
    {"type": "person", "id": "u1", "phone": "1", "at": 1_000},
    {"type": "person", "id": "u1", "phone": "2", "job_title": "CTO", "at": 2_000},
    {"type": "stage", "id": "u1", "stage": "pql", "at": 3_000},
    {"type": "person", "id": "u1", "job_title": "", "at": 4_000},
    {"type": "person", "id": "u1", "last_name": "L", "phone": "3", "at": 2_500},
]


@given(st.permutations(range(len(TOLD))), st.lists(st.integers(0, len(TOLD) - 1), max_size=4), st.sets(st.integers(0, 9)))
def test_any_order_comes_to_the_same(tmp_path_factory: pytest.TempPathFactory, order: list[int], again: list[int], pulls: set[int]) -> None:
    """Lost order, doubles, and pulls in between, some of which are made twice as after a crash: in the end each field has its newest value."""
    product = Teller(tmp_path_factory.mktemp("order"))
    seen: dict[str, Any] = {}
    stamp, cursor = 0, None
    with closing(product.connector):
        for place, number in enumerate([*order, *again]):
            product.tell(TOLD[number], key=f"k{number}" if place % 2 else None)
            if place in pulls or place == len(order) + len(again) - 1:
                product.pull(cursor)
                for page in product.pull(cursor):
                    for record in page.records:
                        assert record.stamp >= stamp
                        stamp = record.stamp
                        seen |= record.values
                    cursor = page.cursor
    assert seen == {"phone": "3", "job_title": None, "stage": "pql", "last_name": "L", "email": None, "first_name": None}
    assert stamp == 4_000_000


def test_signals_are_given_to_an_id_or_an_address(product: Teller) -> None:
    """With what else is known of them, under the event's key; nothing stands in a record."""
    product.tell(
        {"type": "used", "id": "u1", "email": "a@x.example", "feature": "export", "at": 1_000, "more": {}}, {"type": "used", "email": "b@x.example", "at": 2}
    )
    page = product.pull()[0]
    assert page.records == []
    assert [(each.ref, each.key) for each in page.signals] == [(ANNA, ("email", "a@x.example")), (None, ("email", "b@x.example"))]
    assert page.signals[0].signal == Signal("usage", 1_000_000, "product", "e1/usage", {"feature": "export"})


def test_a_moment_is_read_in_every_usual_form(product: Teller) -> None:
    """Seconds, milliseconds, ISO 8601 with and without a zone; nothing, and what lies ahead, is the moment at which it came."""
    moments = [1_700_000_000, 1_700_000_000_000, "1700000000", "2023-11-14T22:13:20Z", "2023-11-14T23:13:20+01:00", "2023-11-14 22:13:20"]
    for number, at in enumerate(moments):
        product.person(f"u{number}", {"phone": "1"}, at=at)
    assert [record.stamp for page in product.pull() for record in page.records] == [1_700_000_000_000] * len(moments)
    product.person("v1", {"phone": "1"}, at=None)
    product.person("v2", {"phone": "1"}, at="2999-01-01")
    now = product.clock.now_ms()
    assert [record.stamp for page in product.pull() for record in page.records][-2:] == [now - 1_000, now]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"type": "person", "phone": "1"}, "NO_REF"),
        ({"type": "person", "id": " "}, "NO_REF"),
        ({"type": "person", "id": {"a": 1}}, "BAD_VALUE"),
        ({"type": "person", "id": "u1", "phone": ["1"]}, "BAD_VALUE"),
        ({"type": "person", "id": "u1", "at": "yesterday"}, "BAD_TIME"),
        ({"type": "person", "id": "u1", "at": -5}, "BAD_TIME"),
        ({"type": "stage", "id": "u1"}, "NO_STAGE"),
        ({"type": "used"}, "NO_REF"),
        ({"type": "deleted"}, "NO_REF"),
    ],
)
def test_a_poison_event_is_set_aside(product: Teller, body: Mapping[str, Any], code: str) -> None:
    """With a code and alone: its neighbours are read, and nothing of it is."""
    product.tell({"type": "person", "id": "before", "phone": "1"}, body, {"type": "person", "id": "after", "phone": "1"})
    pages = product.pull()
    assert [record.ref.id for page in pages for record in page.records] == ["before", "after"]
    assert product.parked() == [("e2", code)]


def test_an_event_that_nobody_asked_for_is_passed_over(product: Teller) -> None:
    """No table is about it; that is no error."""
    product.tell(
        {"type": "invoice"},
        {},
    )
    assert [page.records for page in product.pull()] == [[], ()]
    assert product.parked() == []


def test_a_function_that_meets_another_type_is_the_events_trouble() -> None:
    """Whatever JMESPath says about a body for which the expression was not written."""
    reader = Reader("product", [EventTable(kind="person", ref="id", fields={"phone": "join(',', phones)"})])
    with pytest.raises(Poison, match="BAD_EXPRESSION"):
        reader.read(Told(1, 1, Event("e", {"id": "u1", "phones": 5})))


def test_a_cursor_into_another_inbox_is_not_used(product: Teller) -> None:
    """The inbox was lost and begins anew: its events are read although the cursor is further."""
    product.person("u1", {"phone": "1"})
    assert told_of(product.pull("another:1000")) == {"phone": "1"}
    assert told_of(product.pull("garbage")) == {"phone": "1"}


def test_what_a_cursor_has_passed_is_done(product: Teller) -> None:
    """The next pull says so, since its cursor was committed with what was read; a pull without one reads all anew."""
    product.person("u1", {"phone": "1"})
    cursor = product.pull()[-1].cursor
    assert product.states() == ["new"]
    product.pull(cursor)
    assert product.states() == ["done"]
    assert told_of(product.pull()) == {"phone": "1"}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"events": ({"kind": "person"},)}, "whom it is about"),
        ({"events": ({"kind": "person", "ref": "id", "when": "a =="},)}, "no JMESPath expression"),
        ({"events": ({"kind": "person", "ref": "id", "stage": "s"},)}, "`stage` is not part of a person event"),
        ({"events": ({"kind": "stage", "ref": "id"},)}, "`stage` is missing"),
        ({"events": ({"kind": "signal", "ref": "id", "signal": "Two words"},)}, "pattern"),
        ({"header": "x-sig"}, 'belong to scheme = "hmac"'),
        ({"split": "["}, "no JMESPath expression"),
    ],
)
def test_mistakes_in_the_tables_are_told(given: Mapping[str, Any], says: str) -> None:
    """Before anything comes in."""
    with pytest.raises(ValidationError, match=says):
        settings(**given)


@pytest.mark.parametrize("secret", ["whsec_", "a", "correct horse battery staple", "whsec_c2hvcnQ="])
def test_a_secret_that_is_none_is_refused(secret: str) -> None:
    """The library would take some of these, and sign with less than nothing."""
    with pytest.raises(ValidationError, match="is not base64"):
        settings(secret)
