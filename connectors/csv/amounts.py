"""Numbers as a spreadsheet writes them: with a decimal comma or a decimal point, and with thousands set apart by the other one. Pure."""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

Mark: TypeAlias = Literal[",", "."]
"""What stands before the decimals."""

_MONEY = re.compile(r"(?:[A-Z]{3}[ \u00a0]?|[$€£¥][ \u00a0]?)?([+-]?[0-9].*?)(?:[ \u00a0]?[$€£¥])?")
"""An amount with a currency, as Salesforce's reports (`USD 856,000`) and people (`1.200 €`) write it."""
_EITHER = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}", re.ASCII)
"""`1.234` and `1,234` may be a thousand or a little more than one."""
_SPACES = " '\u00a0\u202f\u2019"
_OTHER: dict[Mark, Mark] = {",": ".", ".": ","}
_FORMS: dict[Mark, re.Pattern[str]] = {
    mark: re.compile(rf"[+-]?(?:[1-9]\d{{0,2}}(?:[{re.escape(other)}{_SPACES}]\d{{3}})+|\d+)(?:{re.escape(mark)}\d+)?", re.ASCII)
    for mark, other in _OTHER.items()
}


def amount(cell: str) -> str:
    """The number of a cell, without a currency."""
    text = cell.strip()
    found = _MONEY.fullmatch(text)
    return found[1] if found is not None else text


def shown(cell: str) -> Mark | Literal["either"] | None:
    """Which mark the cell proves: `1.234,5` and `12,5` a comma, `1,234.5` and `0.125` a point; "either" for `1.234`; None for what says nothing.

    Money has no three decimals: `EUR 856.000` are thousands.
    """
    text = amount(cell)
    if "," not in text and "." not in text:
        return None
    if _EITHER.fullmatch(text):
        return "either" if text == cell.strip() else "," if "." in text else "."
    fitting: list[Mark] = [mark for mark, form in _FORMS.items() if form.fullmatch(text)]
    return fitting[0] if len(fitting) == 1 else None


def plain(cell: str, mark: Mark) -> str:
    """The number with a point before its decimals and nothing between its thousands; what is no such number stays as it is."""
    text = amount(cell)
    if not _FORMS[mark].fullmatch(text):
        return text
    return "".join(sign for sign in text if sign not in _SPACES and sign != _OTHER[mark]).replace(",", ".")
