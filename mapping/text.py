"""Text, e-mail and web addresses in canonical form.

A plain value takes a cheap path; a library is asked only where the syntax is doubtful. Nothing here folds what distinguishes two people:
dots and plus signs of an e-mail address stay.
"""

from __future__ import annotations

import re
from functools import lru_cache
from unicodedata import normalize

from ..model.records import Native, Value, Values
from .fields import Unmappable

_PLAIN_EMAIL = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~.-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+")
_INVISIBLE = dict.fromkeys((0x00AD, 0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0x2060, 0xFEFF))
_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_ODD_FORMS = {**_INVISIBLE, **_FULL_WIDTH}
_SCHEME = re.compile(r"(?:https?://)+", re.IGNORECASE)
_HOST = re.compile(r"[^/?#]*")


def clean(text: str) -> str | None:
    """Composed (NFC), trimmed, line ends as LF; None where nothing is left. Inner white space stays as it is."""
    text = text.strip()
    if not text.isascii():
        text = normalize("NFC", text)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text or None


def as_text(native: Native) -> str:
    """A native value as the text that a person would type for it."""
    if native.__class__ is str:
        return native  # pyright: ignore[reportReturnType] - the class was just compared, which is the quick way to ask
    if native is True:
        return "true"
    if native is False:
        return "false"
    if isinstance(native, float) and native.is_integer() and abs(native) < 1e15:
        return str(int(native))
    return str(native)


def read_text(native: Native, _record: Values) -> Value:
    """Canonical text. One function for all text fields of all systems."""
    if native is None:
        return None
    text = as_text(native).strip()
    if text.isascii() and "\r" not in text:
        return text or None
    return clean(text)


def read_email(native: Native, _record: Values) -> Value:
    """Canonical e-mail address: lower-case, the domain in its ASCII form. Raises `Unmappable` for what is no address."""
    if native is None:
        return None
    text = as_text(native)
    if _PLAIN_EMAIL.fullmatch(text):
        return text
    text = text.strip().lower()
    if not text:
        return None
    if _PLAIN_EMAIL.fullmatch(text):
        return text
    address = _odd_email(text)
    if address is None:
        raise Unmappable("is not an e-mail address")
    return address


@lru_cache(4096)
def _odd_email(text: str) -> str | None:
    """The address behind full-width letters, invisible characters, `mailto:`, angle brackets or an international domain; None if there is none."""
    from email_validator import EmailNotValidError, validate_email

    text = text.translate(_ODD_FORMS).strip().lower().removeprefix("mailto:")
    if text.endswith(">") and "<" in text:
        text = text[text.rindex("<") + 1 : -1].strip()
    if not text:
        return None
    if _PLAIN_EMAIL.fullmatch(text):
        return text
    try:
        found = validate_email(text, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return None
    local = normalize("NFC", found.local_part.lower())
    return f"{local}@{found.ascii_domain or found.domain}".lower()


def read_url(native: Native, _record: Values) -> Value:
    """Canonical web address: without `http://` or `https://`, the host in lower case, a lone slash behind the host dropped.

    So `https://Acme.example/`, `http://acme.example` and `acme.example` are equal. A text that is nothing but that stays as it is.
    """
    if native is None:
        return None
    text = clean(as_text(native))
    if text is None:
        return None
    scheme = _SCHEME.match(text)
    rest = text[scheme.end() :].lstrip() if scheme else text
    host = _HOST.match(rest)
    if host is None or not host.group():
        return text
    path = rest[host.end() :]
    return host.group().lower() + ("" if path == "/" else path)
