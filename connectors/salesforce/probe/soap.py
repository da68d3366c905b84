"""Merge and conversion, which REST has not, by the partner WSDL (SOAP API Developer Guide, merge(), convertLead()).

The session stands in the text itself. A refused row has its own result; a call that is refused as a whole is a fault, with status 500.
"""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree.ElementTree import Element, ParseError, SubElement, TreeBuilder, XMLParser, tostring

from ....model.ports import Secret
from ...manners import Answer, plain
from ...probing import Untold
from ..client import Client
from ..errors import Expired, Refusal, judge
from ..rows import KINDS_BY_PREFIX, OBJECTS

_SOAP, _PARTNER, _SOBJECT = "http://schemas.xmlsoap.org/soap/envelope/", "urn:partner.soap.sforce.com", "urn:sobject.partner.soap.sforce.com"
_HEADERS = {"Content-Type": "text/xml; charset=UTF-8", "SOAPAction": '""', "Accept": "text/xml"}


def merge(client: Client, winner: str, loser: str) -> None:
    """Merge one record into another of the same object. Raises `Untold` where that is refused."""
    request = Element(f"{{{_PARTNER}}}request")
    master = SubElement(request, f"{{{_PARTNER}}}masterRecord")
    SubElement(master, f"{{{_SOBJECT}}}type").text = OBJECTS[KINDS_BY_PREFIX[winner[:3]]]
    SubElement(master, f"{{{_SOBJECT}}}Id").text = winner
    SubElement(request, f"{{{_PARTNER}}}recordToMergeIds").text = loser
    _done(client, "merge", request)


def convert(client: Client, lead: str, status: str, *, account: str = "", contact: str = "") -> None:
    """Convert a Lead, into these records where they are given, without an opportunity. Raises `Untold` where that is refused.

    The order of the elements is the WSDL's.
    """
    request = Element(f"{{{_PARTNER}}}leadConverts")
    given = {
        "accountId": account,
        "contactId": contact,
        "convertedStatus": status,
        "doNotCreateOpportunity": "true",
        "leadId": lead,
        "overwriteLeadSource": "false",
        "sendNotificationEmail": "false",
    }
    _fill(request, {name: value for name, value in given.items() if value})
    _done(client, "convertLead", request)


def _done(client: Client, call: str, request: Element) -> None:
    answer = client.tell(f"/services/Soap/u/{client.version}", lambda token: _text(token, call, request), _HEADERS, _judge)
    refused = _fault(answer) or _refusal(_read(answer.body))
    if refused is not None:
        raise Untold(f"the org refuses {call}: {refused.code}: {plain(refused.message)}")


def _text(token: Secret, call: str, request: Element) -> bytes:
    """The whole envelope. What looks like a duplicate is saved all the same: throw-away records look like each other."""
    envelope = Element(f"{{{_SOAP}}}Envelope")
    head = SubElement(envelope, f"{{{_SOAP}}}Header")
    _fill(SubElement(head, f"{{{_PARTNER}}}SessionHeader"), {"sessionId": token.reveal()})
    duplicates = {"allowSave": "true", "includeRecordDetails": "false", "runAsCurrentUser": "true"}
    _fill(SubElement(head, f"{{{_PARTNER}}}DuplicateRuleHeader"), duplicates)
    SubElement(SubElement(envelope, f"{{{_SOAP}}}Body"), f"{{{_PARTNER}}}{call}").append(request)
    return tostring(envelope, encoding="utf-8", xml_declaration=True)


def _fill(parent: Element, values: Mapping[str, str]) -> None:
    for name, value in values.items():
        SubElement(parent, f"{{{_PARTNER}}}{name}").text = value


class _Plain(TreeBuilder):
    """A tree without a document type: so there are no entities, inner or outer."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        """Refuse it."""
        raise ValueError("a document type is not taken")


def _read(body: bytes) -> Element | None:
    """The envelope; None for what is none."""
    parser = XMLParser(target=_Plain())
    try:
        parser.feed(body)
        return parser.close()
    except (ParseError, ValueError):
        return None


def _judge(answer: Answer, where: str, now_ms: int) -> None:
    """A fault is Salesforce's own word, whatever its status: nothing was done."""
    fault = _fault(answer)
    if fault is None:
        judge(answer, where, now_ms)
    elif fault.code == "INVALID_SESSION_ID":
        raise Expired("the session is not accepted", where=where)


def _fault(answer: Answer) -> Refusal | None:
    envelope = None if answer.ok else _read(answer.body)
    fault = None if envelope is None else envelope.find(f"{{{_SOAP}}}Body/{{{_SOAP}}}Fault")
    return None if fault is None else Refusal((fault.findtext("faultcode") or "").rpartition(":")[2], fault.findtext("faultstring") or "")


def _refusal(envelope: Element | None) -> Refusal | None:
    """Why the one row of the call was refused; None where it was done. Raises `Untold` where the answer does not say."""
    result = None if envelope is None else envelope.find(f"{{{_SOAP}}}Body/*/{{{_PARTNER}}}result")
    if result is None:
        raise Untold("the answer is no SOAP")
    if result.findtext(f"{{{_PARTNER}}}success") == "true":
        return None
    error = result.find(f"{{{_PARTNER}}}errors")
    code, message = ("" if error is None else error.findtext(f"{{{_PARTNER}}}{name}") or "" for name in ("statusCode", "message"))
    return Refusal(code, message)
