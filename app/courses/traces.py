"""Whether files still hold somebody's address, found by reading them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

_CHUNK = 1 << 20


def files_with(texts: Iterable[str], files: Iterable[Path]) -> list[Path]:
    """Those of the files in which one of the texts stands, in whatever case. A file that cannot be read is named too: nobody knows then."""
    wanted = [text.lower().encode() for text in texts]
    return [file for file in files if _holds(file, wanted)]


def _holds(file: Path, wanted: Sequence[bytes]) -> bool:
    try:
        return any(text in chunk for chunk in _overlapping(file, max(map(len, wanted), default=0)) for text in wanted)
    except FileNotFoundError:
        return False
    except OSError:
        return True


def _overlapping(file: Path, overlap: int) -> Iterator[bytes]:
    """The file in pieces, each with the end of the one before."""
    with file.open("rb") as opened:
        tail = b""
        while chunk := opened.read(_CHUNK):
            yield (piece := tail + chunk.lower())
            tail = piece[-overlap:] if overlap else b""
