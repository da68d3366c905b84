"""Phone numbers in canonical form: E.164, with ` ext. 12` behind it where there is an extension.

A number that cannot be understood stays as the text it is: never lost, never invented. The cheap path computes what the library (libphonenumber)
would answer, from the library's own metadata, for numbers that hold nothing but digits and the usual separators; everything else is asked of the library.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache

from ..model.records import Native, Value, Values
from .countries import country_code
from .text import as_text, clean

_SEPARATORS = str.maketrans("", "", " ()-.\u00a0")
_LONGEST = 60
_EXTENSION = r"(?:[;,]?\s*(?:extension|extn?|ext|x|#|durchwahl|dw|poste|anexo)[.:=]?\s*\d{1,9})?"
_NUMBER = re.compile(r"(?:tel:)?[\d\s()+＋\-./‐‑‒–—·]*\d[\s()]*" + _EXTENSION + "#?", re.IGNORECASE)
"""What is taken for a number at all. A remark beside it ("ask for Ann") would be lost in E.164, so such a text stays text."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """A numbering plan, as far as the cheap path needs it. `prefix` is what is dialled before a national number."""

    code: str
    lengths: frozenset[int]
    prefix: re.Pattern[str] | None
    abroad: re.Pattern[str] | None
    valid: re.Pattern[str]
    plain: bool


def phone_reader(country: str | None, region: str | None) -> Callable[[Native, Values], Value]:
    """A reader of phone numbers. `country`: the native field with the record's country; `region`: the country of records without one."""

    def read(native: Native, record: Values) -> Value:
        if native is None:
            return None
        text = as_text(native).strip()
        if not text:
            return None
        if text[0] == "+":
            return international(text) or asked(text, None)
        where = record.get(country) if country is not None else None
        home = region if where is None else country_code(where)
        return (home and national(text, home)) or asked(text, home)

    return read


def international(text: str) -> str | None:
    """E.164 of a plain international number; None: ask the library."""
    digits = text[1:].translate(_SEPARATORS)
    if not (digits.isdecimal() and digits.isascii()):
        return None
    plan = _plan_of_code(digits[:1]) or _plan_of_code(digits[:2]) or _plan_of_code(digits[:3])
    if plan is None:
        return None
    number = digits[len(plan.code) :]
    if len(number) not in plan.lengths or (plan.prefix is not None and plan.prefix.match(number)):
        return None
    return "+" + digits


def national(text: str, region: str) -> str | None:
    """E.164 of a plain national number; None: ask the library."""
    plan = _plan_of_region(region)
    digits = text.translate(_SEPARATORS)
    if plan is None or not plan.plain or not (digits.isdecimal() and digits.isascii()):
        return None
    if digits.startswith(plan.code) or (plan.abroad is not None and plan.abroad.match(digits)):
        return None
    dialled = plan.prefix.match(digits) if plan.prefix is not None else None
    if dialled is not None:
        digits = digits[dialled.end() :]
    if len(digits) not in plan.lengths or plan.valid.fullmatch(digits) is None:
        return None
    return f"+{plan.code}{digits}"


@cache
def _plan_of_code(code: str) -> _Plan | None:
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

    regions = COUNTRY_CODE_TO_REGION_CODE.get(int(code or 0))
    return None if regions is None or regions[0] == "001" else _plan_of_region(regions[0])


@cache
def _plan_of_region(region: str) -> _Plan | None:
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata

    found = PhoneMetadata.metadata_for_region(region, None)
    if found is None or found.general_desc is None or found.country_code is None:
        return None
    main = PhoneMetadata.metadata_for_region(COUNTRY_CODE_TO_REGION_CODE[found.country_code][0], None)
    lengths = frozenset(found.general_desc.possible_length)
    prefix = re.compile(found.national_prefix_for_parsing) if found.national_prefix_for_parsing else None
    alike = main is not None and main.general_desc is not None and lengths == frozenset(main.general_desc.possible_length)
    return _Plan(
        code=str(found.country_code),
        lengths=lengths,
        prefix=prefix,
        abroad=re.compile(found.international_prefix) if found.international_prefix else None,
        valid=re.compile(found.general_desc.national_number_pattern or ""),
        plain=alike and not found.national_prefix_transform_rule and (prefix is None or prefix.groups == 0),
    )


@lru_cache(8192)
def asked(text: str, region: str | None) -> str | None:
    """What the library makes of it; the cleaned text where that is no number of a possible length.

    A number without its country must also fit that country's plan: a German number on an American's record is no American number.
    """
    if len(text) > _LONGEST or _NUMBER.fullmatch(text) is None:
        return clean(text)
    import phonenumbers as library

    try:
        number = library.parse(text, region)
    except library.NumberParseException:
        return clean(text)
    if library.is_possible_number_with_reason(number) != library.ValidationResult.IS_POSSIBLE:
        return clean(text)
    plan = _plan_of_code(str(number.country_code))
    if region is not None and plan is not None and plan.valid.fullmatch(library.national_significant_number(number)) is None:
        return clean(text)
    extension = f" ext. {number.extension}" if number.extension else ""
    number.extension = None
    return library.format_number(number, library.PhoneNumberFormat.E164) + extension
