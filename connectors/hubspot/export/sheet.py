"""The file of an export, read as a stream as often as one likes: a CSV, or several in a zip, each with the same header (HubSpot docs, Exports)."""

from __future__ import annotations

import csv
import io
import zipfile
import zlib
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import IO

from .ways import Unusable

LONGEST_LINE = 16 * 1024 * 1024
"""More characters than this without a line break are no row of contacts, and would fill the memory."""
MOST_BYTES = 1024**4
"""More than this in a zip is no file of contacts."""
_ZIP = b"PK"


class Sheet:
    """The rows of an open file. `header`: the names of its columns. Raises `Unusable` for a file that is none of the two, or is broken."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        with _readable():
            self.header = next((header for header, _ in self._parts()), [])

    def rows(self) -> Generator[Sequence[str], None, None]:
        """All of them, from the first one on, each as long as the header. To be closed before the file is."""
        with _readable():
            for header, lines in self._parts():
                if header != self.header:
                    raise Unusable("the parts of its file have different columns")
                for cells in lines:
                    if len(cells) != len(header):
                        raise Unusable("a row of its file has not as many cells as the header")
                    yield cells

    def _parts(self) -> Iterator[tuple[Sequence[str], Iterator[Sequence[str]]]]:
        for part in self._opened():
            text = io.TextIOWrapper(part, "utf-8-sig", newline="")
            try:
                lines = csv.reader(_lines(text), strict=True)
                yield next(lines, []), lines
            finally:
                text.detach()  # the file stays open: it is read more than once

    def _opened(self) -> Iterator[IO[bytes]]:
        self._file.seek(0)
        if self._file.read(len(_ZIP)) != _ZIP:
            self._file.seek(0)
            yield self._file
            return
        with zipfile.ZipFile(self._file) as packed:
            if sum(member.file_size for member in packed.infolist()) > MOST_BYTES:
                raise Unusable("its file is too large to be one of contacts")
            for member in packed.infolist():
                with packed.open(member) as part:
                    yield part


def _lines(text: io.TextIOWrapper) -> Iterator[str]:
    while line := text.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE:
            raise Unusable("its file has a line without an end")
        yield line


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except (csv.Error, UnicodeDecodeError, zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError, EOFError, zlib.error) as error:
        raise Unusable("its file cannot be read") from error
