"""An export of all contacts, call by call: asked for, waited for, and its file fetched (HubSpot docs, Exports).

HubSpot lets an account have 30 in 24 hours, one at a time, which its users share. The file lies for five minutes under an address that asks for no credential,
and each look at the export gives another one. So the address is a secret: it is in no message, our own credential does not go there, and what is fetched has
no name on this machine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from tempfile import TemporaryFile
from typing import IO, Any
from urllib.parse import urlsplit

from ....model.errors import ConfigurationError, QuotaSpent
from ...manners import CONNECT_S, Trouble, is_loopback, lost
from ..client import Client
from ..errors import Forbidden
from ..rows import instant_ms
from .ways import Unusable

PATIENCE_S = 7_200.0
"""How long an export may take, those that others have begun before it included."""
MOST_BYTES = 64 * 1024**3
"""A file beyond this is none of contacts: fifty million with a hundred filled properties are less, packed."""

_LONGEST_PAUSE_S = 60.0
_TRIES = 3
_REDIRECTS = 5
_CHUNK = 262_144
_VIEW = {
    "exportType": "VIEW",
    "format": "CSV",
    "exportName": "stagesync",
    "objectType": "CONTACT",
    "language": "EN",
    "exportInternalValuesOptions": ["NAMES", "VALUES"],
    "overrideAssociatedObjectsPerDefinitionPerRowLimit": False,
}
"""All contacts, under internal names and in internal values, in whatever order."""
_REFUSED = (Forbidden, ConfigurationError, QuotaSpent, Trouble)


def start(client: Client, names: Sequence[str], filters: Sequence[Mapping[str, str]] = ()) -> str:
    """The new export's id: of the contacts that pass the filters. Raises `Unusable` where HubSpot does not begin one. It is asked for once: a second one would
    spend another of the day's."""
    view = {"publicCrmSearchRequest": client.paths.view(filters)} if filters else {}
    body = {**_VIEW, "objectProperties": list(names), **client.paths.alone, **view}
    try:
        told = client.expected(client.call("POST", client.paths.exports, body=body, repeatable=False))
    except _REFUSED as error:
        raise Unusable(f"HubSpot does not begin it: {error.what}") from error
    id = str(told.get("id") or "")
    if not id.isascii() or not id.isdigit():
        raise Unusable("HubSpot does not say which one it has begun")
    return id


@contextmanager
def fetched(client: Client, id: str) -> Iterator[IO[bytes]]:
    """The file of an export, once that has come to its end. Raises `Unusable`."""
    with TemporaryFile() as file:
        for _ in range(_TRIES):
            if _is_here(client, _ended(client, id), file):
                break
        else:
            raise Unusable("its file cannot be fetched")
        yield file


def _ended(client: Client, id: str) -> str:
    """Wait for its end, ever more seldom; the address of its file. Whoever waited before counts."""
    pause = 1.0
    while True:
        try:
            told = client.expected(client.get(f"{client.paths.exports}/tasks/{id}/status"))
        except (Forbidden, ConfigurationError) as error:  # not kept for ever: then HubSpot says that it may not be seen, or is not there
            raise Unusable("HubSpot no longer has it", lost=True) from error
        match told.get("status"), told.get("result"):
            case "COMPLETE", str(url):
                return url
            case "PENDING" | "PROCESSING", _ if client.server_time - _asked_at(told) < PATIENCE_S * 1000:
                client.clock.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_S)
            case "PENDING" | "PROCESSING", _:
                raise Unusable(f"it has not come to its end in {PATIENCE_S / 3600:.0f} hours")
            case _:
                raise Unusable("HubSpot has not carried it out")


def _asked_at(told: Mapping[str, Any]) -> int:
    """When it was asked for, by the vendor's clock. Raises `Unusable` where that is not told: one might wait for ever."""
    try:
        return instant_ms(str(told.get("requestedAt") or told["startedAt"]))
    except (KeyError, ValueError):
        raise Unusable("HubSpot does not say when it was begun") from None


def _is_here(client: Client, url: str, file: IO[bytes]) -> bool:
    """Fetch the file; False where another address may do: the connection broke, or the address has expired."""
    import httpx

    file.seek(0)
    file.truncate()
    timeout = httpx.Timeout(client.settings.timeout_s, connect=min(CONNECT_S, client.settings.timeout_s))
    with httpx.Client(timeout=timeout, trust_env=not is_loopback(client.settings.base_url), follow_redirects=False, headers={"User-Agent": "stagesync"}) as web:
        for _ in range(_REDIRECTS):
            _check(client, url)
            try:
                with web.stream("GET", url) as found:
                    if found.next_request is not None:
                        url = str(found.next_request.url)
                        continue
                    return found.is_success and _kept(found.iter_bytes(_CHUNK), file)
            except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
                trouble = lost(error, where=client.system)
                if not isinstance(trouble, Trouble):
                    raise trouble from None
                return False
    return False


def _kept(chunks: Iterator[bytes], file: IO[bytes]) -> bool:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > MOST_BYTES:
            raise Unusable("its file is too large to be one of contacts")
        try:
            file.write(chunk)
        except OSError as error:
            raise Unusable(f"there is no room for its file ({error.strerror}): TMPDIR says where it is put") from error
    return True


def _check(client: Client, url: str) -> None:
    """Raises `Unusable` for an address at which a file full of people would travel in clear; on this machine it may, where the account itself is there."""
    if not _is_safe(url, at_home=is_loopback(client.settings.base_url)):
        raise Unusable("its file does not lie at an address that is safe")


def _is_safe(url: str, *, at_home: bool) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and at_home and is_loopback(url)))
    except ValueError:
        return False
