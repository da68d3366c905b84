"""People who do not exist, of several countries, cheaply: about ten microseconds each.

The same seed always gives the same people. Their addresses end in `.example`, which nobody can own (RFC 2606).
"""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")

STAGES = ("subscriber", "lead", "mql", "sal", "sql", "opportunity", "customer", "evangelist", "disqualified", "nurture")
"""Where a person stands, in nobody's wording; the last two stand beside the line."""

_STAGE_WEIGHTS = (14, 30, 18, 6, 9, 5, 10, 1, 5, 2)
_STAGE_URN = tuple(stage for stage, weight in zip(STAGES, _STAGE_WEIGHTS, strict=True) for _ in range(weight))
_SOURCES = ("Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other")
_TITLES = (
    *("CEO", "CTO", "Chief Marketing Officer", "VP Sales", "VP of Operations", "Head of Procurement", "Director, IT", "Marketing Manager", "Sales Manager"),
    *("Office Manager", "Product Owner", "Software Engineer", "Data Analyst", "Consultant", "Buyer", "Assistant to the Director", "Founder & Owner", "Intern"),
)
_SIZES = (3, 8, 12, 25, 40, 75, 120, 250, 480, 900, 1_500, 4_200, 12_000)
_MAILBOXES = ("freemail.example", "post.example", "mymail.example")
_FIRST_SEEN_MS = 1_609_459_200_000  # 2021-01-01
_LAST_SEEN_MS = 1_748_736_000_000  # 2025-06-01, safely before the present of any world
_SPELLED = str.maketrans({"ß": "ss", "ı": "i", "ä": "ae", "ö": "oe", "ü": "ue", "ø": "o", "ł": "l"})


class City(NamedTuple):
    """A town, with the ways to write the telephone numbers of its people."""

    name: str
    state: str
    state_long: str
    postal_code: str
    phones: tuple[str, ...]


class Country(NamedTuple):
    """What its people have in common. `also`: other ways to write its name.

    Names are (romanised, native) pairs; `tail` is how a local number ends: fixed digits, and how many free ones.
    """

    code: str
    name: str
    also: tuple[str, ...]
    first: tuple[tuple[str, str], ...]
    last: tuple[tuple[str, str], ...]
    cities: tuple[City, ...]
    streets: tuple[str, ...]
    mobiles: tuple[str, ...]
    tail: tuple[str, int]
    words: tuple[str, ...]
    trades: tuple[tuple[str, str], ...]
    forms: tuple[str, ...]


class Phone(NamedTuple):
    """One telephone number and all ways to write it."""

    writings: tuple[str, ...]
    tail: str

    def written(self, style: int) -> str:
        """0 is E.164, 1 international with blanks, the others are national or careless."""
        return self.writings[style % len(self.writings)].format(n=self.tail, p=self.tail[:2], q=self.tail[2:])


class Company(NamedTuple):
    """Where people work."""

    name: str
    short_name: str
    domain: str
    industry: str
    employees: int
    revenue: int
    country: Country
    city: City
    street: str

    @property
    def website(self) -> str:
        """Its address on the web."""
        return f"https://www.{self.domain}"


class Person(NamedTuple):
    """Somebody, as they would describe themselves. `native_*` differ from `first` and `last` in countries with another script."""

    number: int
    first: str
    last: str
    native_first: str
    native_last: str
    email: str
    phone: Phone
    mobile: Phone | None
    title: str
    company: Company
    stage: str
    source: str
    opted_out: bool
    created_ms: int
    modified_ms: int


def generate(n: int, seed: int = 1) -> list[Person]:
    """`n` people with addresses of their own. Raises nothing; `n` may be 0."""
    return list(each_person(n, seed))


def each_person(n: int, seed: int = 1) -> Iterator[Person]:
    """The same people one after another."""
    random = Random(seed)
    companies = _companies(max(n // 7, 1), random)
    taken: set[str] = set()
    for number in range(n):
        yield _person(number, companies[int(random.random() ** 1.6 * len(companies))], taken, random)


def _pick(values: tuple[T, ...], random: Random) -> T:
    return values[int(random.random() * len(values))]


def _person(number: int, company: Company, taken: set[str], random: Random) -> Person:
    country = company.country
    first, native_first = _pick(country.first, random)
    last, native_last = _pick(country.last, random)
    created = _FIRST_SEEN_MS + int(random.random() * (_LAST_SEEN_MS - _FIRST_SEEN_MS))
    return Person(
        number,
        first,
        last,
        native_first,
        native_last,
        _email(first, last, company.domain if random.random() < 0.9 else _pick(_MAILBOXES, random), taken, random),
        Phone(company.city.phones, _digits(country.tail, random)),
        Phone(country.mobiles, _digits(country.tail, random)) if random.random() < 0.45 else None,
        _pick(_TITLES, random),
        company,
        _pick(_STAGE_URN, random),
        _pick(_SOURCES, random),
        random.random() < 0.04,
        created,
        created + int(random.random() * (_LAST_SEEN_MS - created)),
    )


def _digits(tail: tuple[str, int], random: Random) -> str:
    fixed, width = tail
    return fixed + str(int((1 + random.random()) * 10**width))[1:]


def _email(first: str, last: str, domain: str, taken: set[str], random: Random) -> str:
    given, family = ascii_form(first), ascii_form(last)
    style = random.random()
    if style < 0.55:
        local = f"{given}.{family}"
    elif style < 0.8:
        local = f"{given[0]}{family}"
    elif style < 0.9:
        local = f"{given}_{family}"
    else:
        local = f"{family}.{given[0]}"
    email = f"{local}@{domain}"
    again = 1
    while email in taken:
        again += 1
        email = f"{local}{again}@{domain}"
    taken.add(email)
    return email


@cache
def ascii_form(name: str) -> str:
    """A name as it stands in an address: lower case, letters, digits and hyphens only."""
    plain = unicodedata.normalize("NFKD", name.lower().translate(_SPELLED)).encode("ascii", "ignore").decode()
    return "".join(each for each in plain if each.isalnum() or each == "-").strip("-") or "x"


def _companies(n: int, random: Random) -> list[Company]:
    countries = load_countries()
    weighted = tuple(country for country, weight in countries for _ in range(weight))
    taken: set[str] = set()
    return [_company(_pick(weighted, random), taken, random) for _ in range(n)]


def _company(country: Country, taken: set[str], random: Random) -> Company:
    word = _pick(country.words, random) if random.random() < 0.6 else _pick(country.last, random)[0]
    trade, industry = _pick(country.trades, random)
    city = _pick(country.cities, random)
    form = _pick(country.forms, random)
    short = f"{word} {trade}"
    stem = f"{ascii_form(word)}-{ascii_form(trade)}"
    if stem in taken:
        short, stem = f"{short} {city.name}", f"{stem}-{ascii_form(city.name)}"
    again = 1
    unique = stem
    while unique in taken:
        again += 1
        unique = f"{stem}-{again}"
    taken.add(unique)
    if again > 1:
        short = f"{short} {again}"
    employees = _pick(_SIZES, random)
    street = _pick(country.streets, random).format(n=1 + int(random.random() * 220), m=1 + int(random.random() * 30))
    revenue = employees * (60 + int(random.random() * 240)) * 1_000
    return Company(f"{short} {form}".strip(), short, f"{unique}.example", industry, employees, revenue, country, city, street)


@cache
def load_countries() -> tuple[tuple[Country, int], ...]:
    """All countries with their share of the companies."""
    table = tomllib.loads((Path(__file__).parent / "countries.toml").read_text(encoding="utf-8"))
    return tuple((_country(code, row), int(row["weight"])) for code, row in table.items())


def _country(code: str, row: dict[str, Any]) -> Country:
    area, start = row["mobile"].split("|")
    return Country(
        code,
        row["name"],
        tuple(row["also"]),
        _names(row["first"]),
        _names(row["last"]),
        tuple(_city(line, row["writings"]) for line in row["cities"]),
        tuple(row["streets"]),
        _writings(area, start, row["writings"]),
        (row["tail"].rstrip("#"), row["tail"].count("#")),
        tuple(row["words"].split()),
        tuple((trade, industry) for trade, industry in (each.split("|") for each in row["trades"])),
        tuple(row["forms"]),
    )


def _names(line: str) -> tuple[tuple[str, str], ...]:
    return tuple((romanised, native or romanised) for romanised, _, native in (name.partition("/") for name in line.split()))


def _city(line: str, writings: list[str]) -> City:
    name, state, state_long, postal_code, area, start = line.split("|")
    return City(name, state, state_long, postal_code, _writings(area, start, writings))


def _writings(area: str, start: str, patterns: list[str]) -> tuple[str, ...]:
    return tuple(each.format(a=area, b=start, B=start.replace(" ", ""), n="{n}", p="{p}", q="{q}") for each in patterns)
