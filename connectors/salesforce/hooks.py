"""Salesforce's Outbound Messages: SOAP, of which only the ids of Leads and Contacts are kept, as hints (SOAP API Developer Guide, Outbound Messaging).

Nothing signs them. What proves one is a token in the address to which it is sent, and the organization's id in it; the id alone is no secret. The XML is read
by expat, and a document type, without which there are no entities, is refused before anything in it is read.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence
from urllib.parse import parse_qs
from xml.parsers import expat

from ...model.events import Event
from ..contract import Post, Reply
from ..hints import hint
from ..posted import DEEPEST
from .rows import KINDS_BY_PREFIX, id18
from .settings import SalesforceSettings

MOST = 100
"""Notifications in one message."""
_SOAP, _OUTBOUND = "http://schemas.xmlsoap.org/soap/envelope/", "http://soap.sforce.com/2005/09/outbound"
_MESSAGE = (f"{_SOAP} Envelope", f"{_SOAP} Body", f"{_OUTBOUND} notifications")
_ID = re.compile(r"[A-Za-z0-9]{15}([A-Za-z0-9]{3})?")
_ACK = (
    f'<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="{_SOAP}"><soapenv:Body>'
    f'<notificationsResponse xmlns="{_OUTBOUND}"><Ack>true</Ack></notificationsResponse></soapenv:Body></soapenv:Envelope>'
).encode()


class SalesforceHooks:
    """How one org's messages are proved and read."""

    media_types = frozenset({"text/xml", "application/xml"})
    covers_address = False
    notes = ("which flows or rules send outbound messages cannot be looked up from here: docs/hints.md says which are needed",)

    def __init__(self, settings: SalesforceSettings) -> None:
        self._tokens = [secret.reveal().encode() for secret in settings.hook_secrets]
        self._organization = id18((settings.hook_organization or "")[:15])

    def verify(self, post: Post) -> str | None:
        """Why it is not to be believed: the token in its address is not one of ours."""
        given = parse_qs(post.path.partition("?")[2]).get("token", [])
        if len(given) != 1:
            return "the token is missing"
        known = [hmac.compare_digest(token, given[0].encode("utf-8", "surrogatepass")) for token in self._tokens]
        return None if any(known) else "the token does not match"

    def read(self, post: Post) -> Sequence[Event]:
        """Its hints; other objects are passed over. Raises `ValueError` for what is no such message, or another organization's."""
        message = _Message()
        message.read(post.body)
        if message.organization != self._organization:
            raise ValueError("another organization sends this")
        return [hint(key, KINDS_BY_PREFIX[id[:3]], (id,)) for key, id in message.notifications if id[:3] in KINDS_BY_PREFIX]

    def reply(self) -> Reply:
        """The acknowledgement, without which the message comes again."""
        return Reply(200, _ACK, "text/xml")


class _Message:
    """One message as it is parsed. `notifications`: id of the notification, id of its record."""

    def __init__(self) -> None:
        self.organization = ""
        self.notifications: list[tuple[str, str]] = []
        self._path: list[str] = []
        self._text = ""
        self._key = self._id = ""

    def read(self, body: bytes) -> None:
        """Take it apart. Raises `ValueError`; its text tells nothing of the message."""
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._refuse
        parser.StartElementHandler = self._begin
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._say
        try:
            parser.Parse(body, True)
        except expat.ExpatError:
            raise ValueError("the body is no XML") from None
        if not self.organization:
            raise ValueError("the body is no outbound message")

    def _refuse(self, *_: object) -> None:
        raise ValueError("a document type is not taken")

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        self._path.append(name)
        self._text = ""
        if len(self._path) > DEEPEST:
            raise ValueError(f"the body is nested more than {DEEPEST} deep")

    def _say(self, text: str) -> None:
        self._text += text

    def _end(self, name: str) -> None:
        inside = [each.rpartition(" ")[2] for each in self._path[len(_MESSAGE) :]] if tuple(self._path[: len(_MESSAGE)]) == _MESSAGE else []
        match inside:
            case ["OrganizationId"]:
                self.organization = self._checked()
            case ["Notification", "Id"]:
                self._key = self._checked()
            case ["Notification", "sObject", "Id"]:
                self._id = self._checked()
            case ["Notification"]:
                self._notified()
            case _:
                pass
        self._path.pop()
        self._text = ""

    def _notified(self) -> None:
        if not self._key or not self._id:
            raise ValueError("a notification has no id")
        if len(self.notifications) == MOST:
            raise ValueError(f"there are more than {MOST} notifications")
        self.notifications.append((self._key, self._id))
        self._key = self._id = ""

    def _checked(self) -> str:
        """An id in its long form. One whose check letters do not fit would have Salesforce refuse the whole call that reads it."""
        text = self._text.strip()
        whole = id18(text[:15]) if _ID.fullmatch(text) else ""
        if not whole or not whole.startswith(text):
            raise ValueError("an id is none")
        return whole
