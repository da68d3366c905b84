"""An import of contacts, call by call: posted, waited for, and found again (HubSpot docs, Imports).

It goes on by itself, also where nobody is left to ask for it. Three go on at a time; the app sees its own alone. It may only create: whoever is there already
is left as they are, whatever the file says of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import orjson

from ....model.errors import ConfigurationError, StagesyncError
from ...manners import MaybeDone
from ..client import Client
from ..errors import Forbidden
from ..listing import pages
from ..rows import EMAIL
from .ways import Unfit

PATIENCE_S = 7_200.0
"""How long an import may take, those that it waits for included."""
RUNNING = frozenset({"STARTED", "PROCESSING", "DEFERRED"})
ENDED = frozenset({"DONE", "FAILED", "CANCELED", "REVERTED"})
"""What was carried out before it failed or was cancelled stays so."""

_OURS = "stagesync "
"""How the names of our imports begin."""
_CONTACT = "0-1"
_PAGE = 100
_LONGEST_PAUSE_S = 60.0
_LOOKS = 3
_FILE = "contacts.csv"


@dataclass(frozen=True, slots=True)
class Told:
    """What an import says of itself. `created`: so many contacts; None where it does not say."""

    id: str
    name: str
    state: str
    created: int | None


def allowed(client: Client) -> None:
    """Raises `Unfit` where this credential may not see its imports: whoever dies must be able to find them."""
    try:
        client.expected(client.get(client.paths.imports, [("limit", "1")]))
    except (Forbidden, ConfigurationError) as error:
        raise Unfit(error.what) from error


def posted(client: Client, names: Sequence[str], content: bytes) -> Told | None:
    """A new import of this file; None where nobody can say whether there is one: it is never posted again.

    Raises `Unfit` where it is refused, and what else stops everything, as long as surely nothing was done.
    """
    name = f"{_OURS}{client.clock.now_ms()} {blake2b(content, digest_size=8).hexdigest()}"
    form = [("importRequest", orjson.dumps(_asked(name, names)).decode()), ("files", (_FILE, content, "text/csv"))]
    try:
        answer = client.call("POST", client.paths.imports, form=form, repeatable=False, changes=True)
    except MaybeDone:
        return _found(client, name)
    except (Forbidden, ConfigurationError) as error:
        raise Unfit(f"HubSpot does not begin one: {error.what}") from error
    if not answer.ok:
        raise Unfit(f"HubSpot does not begin one (status {answer.status})")
    told = _told(answer.data)
    return told if told is not None else _found(client, name)


def _asked(name: str, names: Sequence[str]) -> dict[str, Any]:
    """What is asked for. Nobody becomes a marketing contact by it, which is paid for and lasts: who is to be one is for the account to say."""
    columns = [{"columnObjectTypeId": _CONTACT, "columnName": each, "propertyName": each} for each in names]
    keyed = [{**each, "columnType": "HUBSPOT_ALTERNATE_ID"} if each["propertyName"] == EMAIL else each for each in columns]
    file = {"fileName": _FILE, "fileFormat": "CSV", "fileImportPage": {"hasHeader": True, "columnMappings": keyed}}
    said = {"importOperations": {_CONTACT: "CREATE"}, "dateFormat": "YEAR_MONTH_DAY", "marketableContactImport": False}
    return {"name": name, **said, "files": [file]}


def _found(client: Client, name: str) -> Told | None:
    """The import of that name, which may be on its way still; None where it is not seen, or nobody can look."""
    try:
        for pause in range(_LOOKS):
            client.clock.sleep(2.0**pause)
            for each in _listed(client):
                if each.name == name:
                    return each
    except StagesyncError:
        return None
    return None


def ended(client: Client, id: str, patience_s: float = PATIENCE_S) -> Told:
    """Wait for its end, ever more seldom; what it says then, or when patience is over."""
    until, pause = client.clock.monotonic() + patience_s, 1.0
    while True:
        told = _told(client.expected(client.get(f"{client.paths.imports}/{id}"))) or Told(id, "", "unknown", None)
        if told.state not in RUNNING or client.clock.monotonic() >= until:
            return told
        client.clock.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_S)


def all_ended(client: Client, patience_s: float) -> bool:
    """Wait for our imports. False: one still goes on. Where they cannot be seen, there are none."""
    try:
        going = [each.id for each in _listed(client) if each.name.startswith(_OURS) and each.state in RUNNING]
    except (Forbidden, ConfigurationError):
        return True
    until = client.clock.monotonic() + patience_s
    return all(ended(client, id, max(1.0, until - client.clock.monotonic())).state not in RUNNING for id in going)


def _listed(client: Client) -> Iterator[Told]:
    for rows in pages(client, client.paths.imports, [("limit", str(_PAGE))]):
        yield from (told for each in rows or [] if (told := _told(each)) is not None)


def _told(found: Any) -> Told | None:
    """None for what is no import."""
    if not isinstance(found, dict) or not str(found.get("id") or "").isdigit():
        return None
    metadata: Mapping[str, Any] = found.get("metadata") or {}
    created = (metadata.get("counters") or {}).get("CREATED_OBJECTS")
    return Told(str(found["id"]), str(found.get("importName") or ""), str(found.get("state") or ""), created if isinstance(created, int) else None)
