"""What a file shows of how it is written: encoding, separator, line ends, quotes. What somebody declared goes before what is seen."""

from __future__ import annotations

import codecs
import csv
import io
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ...model.errors import ConfigurationError
from .settings import CsvSettings

_HEAD = 1 << 16
_CHUNK = 1 << 20
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_MARKED = {"utf-8": codecs.BOM_UTF8, "utf-16": codecs.BOM_UTF16_LE, "utf-32": codecs.BOM_UTF32_LE}
_DELIMITERS = (",", ";", "\t", "|")
_QUOTED = re.compile(r'"(?:[^"]|"")*"')
_ESCAPED = re.compile("[\udc80-\udcff]")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_ROWS = 50


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a file is written. `mark`: the bytes before the text. `quoted`: every cell stands in quotes. `guess`: the encoding is none that can be proved."""

    lines: bool
    encoding: str
    mark: bytes
    delimiter: str
    newline: str
    quoted: bool
    guess: bool = False

    @property
    def errors(self) -> str:
        """How bytes that are no text of this encoding are carried through unchanged."""
        return "surrogatepass" if self.encoding.startswith(("utf-16", "utf-32")) else "surrogateescape"


def fresh(settings: CsvSettings) -> Dialect:
    """How a new file is written. Spreadsheets know UTF-8 by the mark in front."""
    named = settings.encoding or "utf-8"
    mark = b"" if settings.lines else _MARKED.get(named, b"")
    encoding = f"{named}-le" if named in ("utf-16", "utf-32") else named
    delimiter = settings.delimiter or ("\t" if _is_tabbed(settings.path) else ",")
    return Dialect(settings.lines, encoding, mark, delimiter, "\n" if settings.lines else "\r\n", quoted=False)


def sniff(settings: CsvSettings) -> Dialect:
    """How the file is written. Raises `ConfigurationError` for what is no text, `OSError` where it cannot be read."""
    with settings.path.open("rb") as file:
        head = file.read(_HEAD)
    if not head:
        return fresh(settings)
    where = str(settings.path)
    if head.startswith(b"PK"):
        raise ConfigurationError("is a workbook or a zip archive, not CSV", where=where, next_step="unpack it, or export again as CSV")
    if head.lstrip()[:1] == b"<":  # Salesforce's Excel format of reports is HTML
        raise ConfigurationError("holds HTML, not CSV", where=where, next_step="export again with the format .csv")
    encoding, mark, guess = _encoding(settings, head)
    text = codecs.getincrementaldecoder(encoding)("replace").decode(head[len(mark) :])
    newline = next((end for end in re.findall(r"\r\n|\n|\r", text[: len(text) - 1])), "\r\n" if not settings.lines else "\n")
    first = re.split(r"\r\n|\n|\r", text.lstrip("\r\n"), maxsplit=1)[0]
    return Dialect(settings.lines, encoding, mark, _delimiter(settings, text, first), newline, first[:1] == '"' and first[-1:] == '"', guess)


def _is_tabbed(path: Path) -> bool:
    return path.suffix.lower() in (".tsv", ".tab")


def _encoding(settings: CsvSettings, head: bytes) -> tuple[str, bytes, bool]:
    """Encoding, the mark in front, and whether it was guessed."""
    seen, mark = next(((name, mark) for mark, name in _MARKS if head.startswith(mark)), ("", b""))
    said = settings.encoding
    if said is not None:
        said = "utf-8" if said == "utf-8-sig" else said
        if said in ("utf-16", "utf-32"):
            return (seen if seen.startswith(said) else f"{said}-le"), (mark if seen.startswith(said) else b""), False
        return said, (mark if seen == said else b""), False
    if seen:
        return seen, mark, False
    zeros = [head[place::2].count(0) * 4 > len(head[place::2]) for place in (0, 1)]
    if zeros == [False, True]:
        return "utf-16-le", b"", False
    if zeros == [True, False]:
        return "utf-16-be", b"", False
    good, bad = _weigh(settings.path)
    return ("utf-8", b"", False) if not bad or good > bad else ("cp1252" if _fits(settings.path) else "iso8859-1", b"", True)


def _weigh(path: Path) -> tuple[int, int]:
    """How many characters beyond ASCII are UTF-8, and how many bytes are not. A single spoilt row does not make the whole file another one."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    good = bad = 0
    with path.open("rb") as file:
        for chunk in _chunks(file):
            if chunk.isascii():
                continue
            text = decoder.decode(chunk)
            wrong = len(_ESCAPED.findall(text))
            good += len(_NOT_ASCII.findall(text)) - wrong
            bad += wrong
    return good, bad


def _fits(path: Path) -> bool:
    """Windows-1252, which Excel saves, has the letters of ISO-8859-1 and some more, but leaves five bytes open."""
    with path.open("rb") as file:
        return not any(byte in chunk for chunk in _chunks(file) for byte in (0x81, 0x8D, 0x8F, 0x90, 0x9D))


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    """The file as long as it is now."""
    for _ in range(os.fstat(file.fileno()).st_size // _CHUNK + 1):
        yield file.read(_CHUNK)


def _delimiter(settings: CsvSettings, text: str, first: str) -> str:
    """As declared, as Excel's `sep=` says, by the ending, or what parts the header; where several could, the one that parts most rows alike."""
    if settings.delimiter is not None or settings.lines:
        return settings.delimiter or ","
    if first.lower().startswith("sep=") and len(first) == 5:
        return first[4]
    if _is_tabbed(settings.path):
        return "\t"
    bare = _QUOTED.sub("", first)
    possible = [each for each in _DELIMITERS if each in bare]
    return max(possible, key=lambda each: (_alike(text, each), bare.count(each)), default=",") if len(possible) > 1 else next(iter(possible), ",")


def _alike(text: str, delimiter: str) -> int:
    """How many of the first rows have as many cells as the header."""
    widths: list[int] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True):
            widths.append(len(row))
            if len(widths) > _ROWS:
                break
    except csv.Error:
        pass
    return sum(width == widths[0] for width in widths) if widths and widths[0] > 1 else 0
