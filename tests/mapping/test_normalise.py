"""Values into canonical form and back: what is equal, what is kept, what is refused."""

from __future__ import annotations

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

from stagesync.mapping import phones
from stagesync.mapping.choices import Offer, align
from stagesync.mapping.countries import LANGUAGES, SURE, codes, country_code, country_name
from stagesync.mapping.fields import FIELD_TYPES, Unmappable
from stagesync.mapping.normalise import NATIVE_TYPES, Shape, make_reader, make_writer

BERLIN = ZoneInfo("Europe/Berlin")
KIRITIMATI = ZoneInfo("Pacific/Kiritimati")
OPTIONS = Offer([("a", "Analytics"), ("b", "Billing; more"), ("c-d", "C D")])
(TRANSLATION,) = align([OPTIONS])


def shaped(type: str, **more: Any) -> Shape:
    """A native field in Berlin, on records with a country."""
    spec: dict[str, Any] = {"type": type, "zone": BERLIN, "country": "country", **more}
    return Shape(**spec)


def read(kind: Any, value: Any, record: dict[str, Any] | None = None, **shape: Any) -> Any:
    """The canonical form of one native value."""
    return make_reader(kind, shaped(shape.pop("type", kind), **shape))(value, record or {})


def write(kind: Any, value: Any, **shape: Any) -> Any:
    """The native form of one canonical value."""
    return make_writer(kind, shaped(shape.pop("type", kind), **shape))[0](value)


@pytest.mark.parametrize(
    ("kind", "native", "canonical"),
    [
        ("text", "  Anna  Maria ", "Anna  Maria"),
        ("text", "Mu\u0308ller", "Müller"),
        ("text", "1 Main St\r\nFloor 2", "1 Main St\nFloor 2"),
        ("text", " \t ", None),
        ("text", 12, "12"),
        ("email", " Anna.M+news@Example.COM ", "anna.m+news@example.com"),
        ("email", "Ａnna＠example.com\u200b", "anna@example.com"),
        ("email", "mailto:anna@example.com", "anna@example.com"),
        ("email", "Anna Muster <anna@example.com>", "anna@example.com"),
        ("email", "anna@BÜCHER.example", "anna@xn--bcher-kva.example"),
        ("email", "", None),
        ("url", "https://WWW.Acme.example/", "www.acme.example"),
        ("url", "http://acme.example/Team/", "acme.example/Team/"),
        ("url", "https://", "https://"),
        ("country", "Deutschland", "DE"),
        ("country", "u.s.a.", "US"),
        ("country", "DEU", "DE"),
        ("country", "日本", "JP"),
        ("country", "République française", "FR"),
        ("country", "Federal Republic of Germany", "DE"),
        ("country", "Bosnia & Herzegovina", "BA"),
        ("country", "Elbonia", "Elbonia"),
        ("number", "1,200,000.50", 1200000.5),
        ("number", "$ 12", 12),
        ("number", 7.0, 7),
        ("number", "", None),
        ("integer", "0120", 120),
        ("boolean", "true", True),
        ("boolean", "No", False),
        ("boolean", "", None),
        ("date", "2026-03-01", "2026-03-01"),
        ("date", "1772323200000", "2026-03-01"),
        ("datetime", "2026-03-01T10:00:00.000+0100", "2026-03-01T09:00:00Z"),
        ("datetime", 1772357400123, "2026-03-01T09:30:00.123Z"),
        ("datetime", "2026-03-01", "2026-03-01T11:00:00Z"),
        ("choice", "Unheard-of", "Unheard-of"),
        ("multichoice", ";B; a;B", "B;a"),
    ],
)
def test_canonical_form(kind: str, native: Any, canonical: Any) -> None:
    """Different spellings of one value have one canonical form, of one type."""
    found = read(kind, native)
    assert found == canonical
    assert type(found) is type(canonical)


@pytest.mark.parametrize(
    ("kind", "native"),
    [
        ("email", "n/a"),
        ("email", "anna@"),
        ("number", "about 12"),
        ("number", "1.2.3"),
        ("number", "nan"),
        ("number", float("inf")),
        ("number", 2**60),
        ("integer", "1.5"),
        ("boolean", "perhaps"),
        ("date", "1/2/2026"),
        ("date", "2026-02-30"),
        ("datetime", "yesterday"),
        ("datetime", "2026-W10"),
    ],
)
def test_what_is_no_such_value_is_refused_with_a_reason(kind: str, native: Any) -> None:
    """A value that cannot be understood is not guessed: it is refused, in words, without repeating the value."""
    with pytest.raises(Unmappable) as refusal:
        read(kind, native)
    assert refusal.value.reason.startswith("is ")
    assert str(native) not in refusal.value.reason


@pytest.mark.parametrize(
    ("native", "country", "canonical"),
    [
        ("+1 (415) 555-0134", None, "+14155550134"),
        ("(415) 555-0134", "USA", "+14155550134"),
        ("030 1234567", "Germany", "+49301234567"),
        ("+49 (0)30 123456", None, "+4930123456"),
        ("0049 30 1234567", "DE", "+49301234567"),
        ("415.555.0134 x12", "US", "+14155550134 ext. 12"),
        ("+14155550134;ext=7", None, "+14155550134 ext. 7"),
        ("＋４９ ３０ 1234567", None, "+49301234567"),
        ("030 1234567", "Elbonia", "030 1234567"),
        ("030 1234567", "US", "030 1234567"),
        ("555-0134", "US", "555-0134"),
        ("ask for Ann, 0301234567", "DE", "ask for Ann, 0301234567"),
        ("1-800-FLOWERS", "US", "1-800-FLOWERS"),
        ("+999 1234", None, "+999 1234"),
        (" ", "US", None),
    ],
)
def test_phone_numbers_become_e164_or_stay_text(native: str, country: str | None, canonical: str | None) -> None:
    """A number is read with the country of its record; what is no whole number of that country is neither lost nor invented."""
    assert read("phone", native, {"country": country}) == canonical


def test_region_of_the_system_serves_records_without_a_country() -> None:
    """A national number on a record whose country is blank is one of the configured region; without a region it stays text."""
    assert read("phone", "030 1234567", {"country": None}, region="DE") == "+49301234567"
    assert read("phone", "030 1234567", {"country": None}) == "030 1234567"
    assert read("phone", "030 1234567", {"country": "Elbonia"}, region="DE") == "030 1234567"


@given(st.sampled_from(sorted(COUNTRY_CODE_TO_REGION_CODE)), st.text("0123456789", min_size=3, max_size=12))
@example(49, "0301234567")
@example(39, "0612345678")
@example(7, "89161234567")
def test_cheap_path_of_international_numbers_answers_as_the_library(code: int, number: str) -> None:
    """Wherever the cheap path answers, libphonenumber would have said the same."""
    text = f"+{code}{number}"
    cheap = phones.international(text)
    assert cheap is None or cheap == phones.asked(text, None)


@given(
    st.sampled_from(["US", "CA", "DE", "GB", "GG", "FR", "JP", "IN", "AU", "BR", "MX", "ES", "IT", "RU", "HU", "AR"]),
    st.text("0123456789", min_size=4, max_size=12),
)
@example("DE", "0301234567")
@example("GB", "02079460018")
def test_cheap_path_of_national_numbers_answers_as_the_library(region: str, number: str) -> None:
    """The same holds for numbers that are read with a country."""
    cheap = phones.national(number, region)
    assert cheap is None or cheap == phones.asked(number, region)


def test_the_sure_names_of_countries_mean_the_same_in_all_languages() -> None:
    """Looking into the English names first changes no answer: none of them means another country elsewhere."""
    everywhere = codes(LANGUAGES)
    assert {name: everywhere.get(name) for name in codes(SURE)} == codes(SURE)


def test_every_country_is_read_from_the_name_that_is_written() -> None:
    """The English name of each code leads back to the code."""
    from babel import Locale

    for code in Locale("en").territories:
        if country_code(code) == code:
            assert country_code(country_name(code)) == code


SHAPES: list[dict[str, Any]] = [
    {},
    {"strings": True},
    {"unblank": True},
    {"region": "DE"},
    {"zone": KIRITIMATI},
]
ODD = [
    "+49 30 1234567",
    "0301234567",
    "Österreich",
    "A@B.example",
    "http://http://x/",
    "1,000",
    "true",
    "2026-03-01",
    "1772357400123",
    ";a;;b",
    "\r\n x",
    "x ext. 5",
]
NATIVES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=40), st.sampled_from(ODD), st.dates().map(str), st.emails())


@pytest.mark.parametrize(
    "kind", [kind for kind in FIELD_TYPES if kind not in ("owner", "company")]
)  # owners are people: test_owners.py; companies: sync/engine/test_companies.py
@given(native=NATIVES, shape=st.sampled_from(SHAPES), country=st.sampled_from([None, "US", "Germany"]), data=st.data())
def test_writing_is_the_inverse_of_reading(kind: Any, native: Any, shape: dict[str, Any], country: str | None, data: st.DataObject) -> None:
    """For every type, read(write(read(x))) == read(x); where storage loses something, the stored form stays. Nothing raises but Unmappable."""
    where = data.draw(st.sampled_from(sorted(NATIVE_TYPES[kind])))
    native_field = shaped(where, translation=TRANSLATION, **shape)
    reader = make_reader(kind, native_field)
    writer, lossy = make_writer(kind, native_field)
    record = {"country": country}
    try:
        canonical = reader(native, record)
    except Unmappable:
        return
    stored = writer(canonical)
    again = reader(stored, record)
    assert again == canonical or lossy
    assert writer(again) == stored


@given(st.text(max_size=30), st.integers(1, 12))
def test_shortened_text_stays_as_it_was_stored(text: str, length: int) -> None:
    """Text that is too long is shortened once: what comes back is written again without a change, as the vendor trims it."""
    writer, lossy = make_writer("text", Shape(type="text", zone=BERLIN, length=length))
    stored = writer(read("text", text))
    assert lossy
    assert stored is None or len(str(stored)) <= length
    assert (writer(read("text", stored)) or None) == (stored or None)


@given(st.floats(-1e9, 1e9), st.integers(0, 4))
def test_rounded_numbers_stay_as_they_were_stored(number: float, scale: int) -> None:
    """A number with more digits than the field keeps is rounded once."""
    writer, lossy = make_writer("number", Shape(type="number", zone=BERLIN, scale=scale))
    stored = writer(read("number", number))
    assert lossy
    assert writer(read("number", stored)) == stored


@given(st.dates(min_value=date(1900, 1, 1)), st.sampled_from(["Europe/Berlin", "Pacific/Kiritimati", "America/Sao_Paulo", "Africa/Cairo"]))
def test_a_date_keeps_its_day_in_a_field_with_a_time(day: Any, zone: str) -> None:
    """A date that is stored as a moment is the same date again, in every zone and on days when clocks change."""
    shape = Shape(type="datetime", zone=ZoneInfo(zone))
    assert make_reader("date", shape)(make_writer("date", shape)[0](day.isoformat()), {}) == day.isoformat()


@pytest.mark.parametrize(
    ("kind", "canonical", "shape", "native"),
    [
        ("number", 1200000.5, {"strings": True}, "1200000.5"),
        ("number", 1e-7, {"strings": True}, "0.0000001"),
        ("number", 2.5, {"scale": 0}, 3),
        ("integer", 12, {"type": "number"}, 12),
        ("boolean", True, {"strings": True}, "true"),
        ("boolean", None, {"strings": True}, None),
        ("boolean", None, {"unblank": True}, False),
        ("country", "DE", {"type": "text"}, "Germany"),
        ("country", "DE", {"type": "text", "length": 2}, "DE"),
        ("country", "DE", {"type": "choice", "countries": {"DE": "Deutschland"}}, "Deutschland"),
        ("country", "Elbonia", {"type": "text"}, "Elbonia"),
        ("datetime", "2026-03-01T09:30:00.123Z", {"seconds": True}, "2026-03-01T09:30:00Z"),
        ("datetime", "2026-03-01T23:30:00Z", {"type": "date"}, "2026-03-02"),
        ("date", "2026-03-01", {"type": "datetime"}, "2026-03-01T11:00:00Z"),
        ("text", "Anna Maria", {"length": 5}, "Anna"),
    ],
)
def test_native_form(kind: str, canonical: Any, shape: dict[str, Any], native: Any) -> None:
    """Each system gets a value in the form that it keeps."""
    found = write(kind, canonical, **shape)
    assert found == native
    assert type(found) is type(native)


@pytest.mark.parametrize(("kind", "value"), [("email", "someone@example.com"), ("phone", "+14155550134 ext. 12")])
def test_an_address_is_refused_rather_than_shortened(kind: str, value: str) -> None:
    """Half an e-mail address or phone number is somebody else's."""
    with pytest.raises(Unmappable, match="longer than"):
        write(kind, value, length=10)


def test_options_meet_by_value_or_label() -> None:
    """Two systems' options are one choice where value or label agree, whatever the case; the canonical name does not depend on the order of systems."""
    left, right = Offer([("ORGANIC_SEARCH", "Organic Search"), ("X", "Web")]), Offer([("organic search", "organic search"), ("Web", "Internet")])
    forward, backward = align([left, right]), align([right, left])
    assert forward == backward[::-1]
    assert forward[0].read["organic search"] == forward[1].read["organic search"] == "Organic Search"
    assert forward[0].read["x"] == forward[1].read["web"] == "Internet"
    assert forward[1].write["Internet"] == "Web"
    assert forward[0].write["Internet"] == "X"


def test_a_label_that_is_anothers_value_ties_nothing_together() -> None:
    """After a confusing relabelling, two options of one field stay two."""
    (only,) = align([Offer([("A", "B"), ("B", "C")])])
    assert only.read["a"] != only.read["b"]


def test_declared_translation_goes_before_likeness() -> None:
    """What the user declares is one choice, though nothing in the words is alike."""
    left, right = align([Offer([("1", "Tech")], declared={"Technology": ["1"]}), Offer([("T", "Hi-tech")], declared={"Technology": ["T", "old"]})])
    assert left.read["1"] == right.read["t"] == right.read["old"] == "Technology"
    assert (left.write["Technology"], right.write["Technology"]) == ("1", "T")


def test_a_choice_without_option_is_refused_only_where_the_field_is_restricted() -> None:
    """HubSpot takes nothing but its options; an unrestricted Salesforce picklist takes any value."""
    closed, free = align([Offer([("WEB", "Web")], restricted=True), Offer([("Web", "Web")])])
    assert write("choice", "Web", translation=closed) == "WEB"
    assert write("choice", "Fair", translation=free) == "Fair"
    with pytest.raises(Unmappable, match="no option 'Fair'"):
        write("choice", "Fair", translation=closed)


def test_several_choices_are_a_set() -> None:
    """Order and repetition of several choices make no difference; they are written in the order of the account's options."""
    assert read("multichoice", "b;a;b", translation=TRANSLATION) == read("multichoice", "a;b", translation=TRANSLATION)
    assert write("multichoice", "Billing, more;Analytics", translation=TRANSLATION) == "a;b"
