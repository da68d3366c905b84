"""Countries in canonical form: the ISO 3166 alpha-2 code. Names are understood in many languages (CLDR, by Babel); unknown text stays as it is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, lru_cache

from ..model.records import Native, Value, Values
from .text import as_text, clean

SURE = ("en",)
"""Enough for most records. The others are loaded when a name is not among these: that takes longer than a small run, and thirty megabytes."""
LANGUAGES = (
    "en", "de", "fr", "es", "it", "pt", "nl", "sv", "da", "nb", "fi", "pl", "cs", "hu", "ro", "el", "tr", "ru", "uk", "ja", "ko", "zh", "zh_Hant", "ar", "he",
)  # fmt: skip
_NO_COUNTRY = frozenset({"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"})
_PLAINER = {
    "HK": "Hong Kong", "MO": "Macao", "MM": "Myanmar", "TR": "Turkey", "CI": "Cote d'Ivoire", "PS": "Palestine", "CG": "Congo",
    "CD": "Democratic Republic of the Congo",
}  # fmt: skip
"""English names as CRMs write them, where CLDR's are unusual."""

_ALSO = {
    "usa": "US", "united states of america": "US", "america": "US", "uk": "GB", "great britain": "GB", "britain": "GB", "england": "GB", "scotland": "GB",
    "wales": "GB", "northern ireland": "GB", "holland": "NL", "korea": "KR", "republic of korea": "KR", "korea, republic of": "KR", "russian federation": "RU",
    "czech republic": "CZ", "ivory coast": "CI", "burma": "MM", "macedonia": "MK", "swaziland": "SZ", "cape verde": "CV", "vatican": "VA", "viet nam": "VN",
    "prc": "CN", "people's republic of china": "CN", "uae": "AE", "republic of ireland": "IE", "eire": "IE", "brasil": "BR", "deutschland": "DE",
    "iran, islamic republic of": "IR", "taiwan, province of china": "TW", "moldova, republic of": "MD", "tanzania, united republic of": "TZ",
    "bolivia, plurinational state of": "BO", "venezuela, bolivarian republic of": "VE", "macau": "MO", "türkiye": "TR", "turkiye": "TR", "the gambia": "GM",
    "the bahamas": "BS", "drc": "CD", "ksa": "SA", "new zealand aotearoa": "NZ", "hong kong sar": "HK", "bundesrepublik deutschland": "DE",
    "federal republic of germany": "DE", "republic of austria": "AT", "republik österreich": "AT", "swiss confederation": "CH", "french republic": "FR",
    "république française": "FR", "republique francaise": "FR", "kingdom of spain": "ES", "reino de españa": "ES", "italian republic": "IT",
    "repubblica italiana": "IT", "portuguese republic": "PT", "república portuguesa": "PT", "kingdom of the netherlands": "NL", "kingdom of belgium": "BE",
    "kingdom of denmark": "DK", "kingdom of sweden": "SE", "kingdom of norway": "NO", "republic of finland": "FI", "republic of poland": "PL",
    "hellenic republic": "GR", "republic of turkey": "TR", "republic of india": "IN", "commonwealth of australia": "AU", "republic of singapore": "SG",
    "federative republic of brazil": "BR", "república federativa do brasil": "BR", "united mexican states": "MX", "estados unidos mexicanos": "MX",
    "argentine republic": "AR", "republic of south africa": "ZA", "state of israel": "IL", "state of japan": "JP", "nippon": "JP",
}  # fmt: skip
_SPACE = re.compile(r"[\s_]+")


def _fold(name: str) -> str:
    name = name.casefold().replace(".", "").replace("’", "'").replace("&", "and")
    return _SPACE.sub(" ", name).strip().removeprefix("the ")


def _names(languages: Iterable[str]) -> Iterator[tuple[str, str]]:
    """(name, code), the surest first."""
    from babel import Locale
    from babel.core import get_global

    codes = [code for code in map(str, Locale("en").territories) if len(code) == 2 and code.isalpha() and code not in _NO_COUNTRY]
    yield from ((code, code) for code in codes)
    yield from ((name, code) for code, name in _PLAINER.items())
    for language in languages:
        territories = Locale.parse(language).territories
        yield from ((territories[code], code) for code in codes if code in territories)
    for alias, replacements in get_global("territory_aliases").items():
        if len(alias) == 3 and alias.isalpha() and len(replacements) == 1 and replacements[0] in codes:
            yield alias, replacements[0]
    yield from _ALSO.items()


@cache
def codes(languages: tuple[str, ...]) -> Mapping[str, str]:
    """Folded name -> code; names that mean two countries are left out."""
    found: dict[str, str] = {}
    doubtful: set[str] = set()
    for name, code in _names(languages):
        if found.setdefault(_fold(name), code) != code:
            doubtful.add(_fold(name))
    return {name: code for name, code in found.items() if name not in doubtful}


@lru_cache(4096)
def country_code(native: Native) -> str | None:
    """The alpha-2 code of a country by code or name; None for anything else."""
    if native is None:
        return None
    name = _fold(as_text(native))
    return codes(SURE).get(name) or codes(LANGUAGES).get(name)


@lru_cache(4096)
def _canonical(native: Native) -> str | None:
    if native is None:
        return None
    return country_code(native) or clean(as_text(native))


def read_country(native: Native, _record: Values) -> Value:
    """Canonical country: its code, or the text where no country is known by it."""
    return _canonical(native)


@cache
def country_name(code: str) -> str:
    """The English name of a code, without signs that are hard to type; any other text is given back as it is."""
    from babel import Locale

    if code in _PLAINER:
        return _PLAINER[code]
    name = Locale("en").territories.get(code) if len(code) == 2 and code not in _NO_COUNTRY else None
    return code if name is None else name.replace("&", "and").replace("’", "'")
