"""The small part of the SOAP API that REST has not: login(), merge() and convertLead() by the partner and the enterprise WSDL (SOAP API Developer Guide).

The two have the same calls in namespaces of their own; inside, everything is in those of the partner WSDL.

A refused row has its own result in a 200; a call that cannot be read, or whose session is over, is a fault with status 500.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol
from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring

from ..wire import Request, Response
from . import trees
from .convert import Conversion, convert
from .errors import Refused, row_error
from .ids import normalise
from .merge import merge
from .oauth import origin
from .org import Org

PATH = re.compile(r"/services/Soap/([uc])/(\d+)\.0(?:/00D\w{12,15})?")
"""The address, which login() gives with the org's id behind it."""

LOGIN_UNTIL = 64
"""The last version that has login()."""

SOAP, PARTNER, SOBJECT = "http://schemas.xmlsoap.org/soap/envelope/", "urn:partner.soap.sforce.com", "urn:sobject.partner.soap.sforce.com"
_FAULTS = "urn:fault.partner.soap.sforce.com"
for _prefix, _space in (("soapenv", SOAP), ("sf", _FAULTS)):
    register_namespace(_prefix, _space)  # clients look for `sf:exceptionCode`, as if the prefix were part of the name


class Door(Protocol):
    """Who lets callers in."""

    def admit(self, token: str) -> None:
        """Count a call with this session. Raises Refused for one that is none."""
        ...

    def login(self, username: str, password: str) -> str:
        """A session for somebody, whose security token may stand behind the password. Raises Refused."""
        ...


def answer(org: Org, request: Request, door: Door) -> Response:
    """Answer one call, in the namespaces of its WSDL. What other APIs have under `/services/Soap/` is not there."""
    where = PATH.fullmatch(request.path.rstrip("/"))
    told = _answer(org, request, door, None if where is None else int(where.group(2)))
    return told if where is None or where.group(1) == "u" else replace(told, body=told.body.replace(b"partner.soap", b"enterprise.soap"))


def _answer(org: Org, request: Request, door: Door, version: int | None) -> Response:
    try:
        envelope = trees.read(request.body.replace(b"enterprise.soap.sforce.com", b"partner.soap.sforce.com"))
        call = next(iter(envelope.find(f"{{{SOAP}}}Body") or ()), None)
        name = "" if call is None else call.tag.removeprefix(f"{{{PARTNER}}}")
        if version is None:
            raise Refused("UNKNOWN_EXCEPTION", f"No operation available for request {name}")
        if call is not None and name == "login" and version <= LOGIN_UNTIL:
            return _told(name, [_session(org, request, door, call)])
        door.admit(envelope.findtext(f"{{{SOAP}}}Header/{{{PARTNER}}}SessionHeader/{{{PARTNER}}}sessionId") or "")
        if call is None or name not in _CALLS:
            raise Refused("UNKNOWN_EXCEPTION", f"No operation available for request {name}")
        return _told(name, [_result(org, _CALLS[name], asked) for asked in call])
    except Refused as refused:
        return _fault(refused)


def _session(org: Org, request: Request, door: Door, asked: Element) -> dict[str, Any]:
    token = door.login(*(asked.findtext(f"{{{PARTNER}}}{name}") or "" for name in ("username", "password")))
    address = f"{origin(request)}{request.path.rstrip('/')}/{org.org_id[:15]}"
    settings = {"metadataServerUrl": address.replace("/Soap/u/", "/Soap/m/").replace("/Soap/c/", "/Soap/m/"), "passwordExpired": "false", "sandbox": "true"}
    return {**settings, "serverUrl": address, "sessionId": token, "userId": org.integration, "userInfo": _user_info(org)}


def _user_info(org: Org) -> dict[str, Any]:
    """All that the WSDL has of a GetUserInfoResult, in its order (SOAP API Developer Guide, getUserInfo)."""
    user, company = org.store.tables["User"].rows[org.integration], org.store.tables["Organization"].rows[org.org_id]
    age = org.habits.session_s
    return {
        "accessibilityMode": "false",
        "chatterExternal": "false",
        "currencySymbol": "$",
        "orgAttachmentFileSizeLimit": "5242880",
        "orgDefaultCurrencyIsoCode": "USD",
        "orgDefaultCurrencyLocale": "en_US",
        "orgDisallowHtmlAttachments": "false",
        "orgHasPersonAccounts": "false",
        "organizationId": org.org_id,
        "organizationMultiCurrency": "false",
        "organizationName": company["Name"],
        "profileId": "00e5g000000H0B1AAK",
        "roleId": "",
        "sessionSecondsValid": str(int(7200 if age is None else age)),
        "userDefaultCurrencyIsoCode": "",
        "userEmail": user["Email"],
        "userFullName": user["Name"],
        "userId": user["Id"],
        "userLanguage": company["LanguageLocaleKey"],
        "userLocale": company["DefaultLocaleSidKey"],
        "userName": user["Username"],
        "userTimeZone": company["TimeZoneSidKey"],
        "userType": user["UserType"],
        "userUiSkin": "Theme3",
    }


def _result(org: Org, call: Callable[[Org, Element], dict[str, Any]], asked: Element) -> dict[str, Any]:
    try:
        return {**call(org, asked), "success": "true"}
    except Refused as refused:
        return {"errors": row_error(refused), "success": "false"}


def _merge(org: Org, asked: Element) -> dict[str, Any]:
    winner = _id(asked.findtext(f"{{{PARTNER}}}masterRecord/{{{SOBJECT}}}Id"))
    losers = [_id(each.text) for each in asked.iterfind(f"{{{PARTNER}}}recordToMergeIds")]
    merge(org, winner, losers, {}, org.moment())
    return {"id": winner, "mergedRecordIds": losers}


def _convert(org: Org, asked: Element) -> dict[str, Any]:
    def given(name: str) -> str | None:
        return asked.findtext(f"{{{PARTNER}}}{name}") or None

    lead, account, contact = (_id(id) if (id := given(name)) else None for name in ("leadId", "accountId", "contactId"))
    how = Conversion(lead or "", given("convertedStatus"), account, contact, given("doNotCreateOpportunity") != "true")
    made = convert(org, how, org.moment())
    return {"accountId": made.account, "contactId": made.contact, "leadId": lead, "opportunityId": made.opportunity}


_CALLS: dict[str, Callable[[Org, Element], dict[str, Any]]] = {"merge": _merge, "convertLead": _convert}


def _id(given: str | None) -> str:
    found = normalise(given or "")
    if found is None:
        raise Refused("MALFORMED_ID", f"malformed id {given}")
    return found


def _told(name: str, results: list[dict[str, Any]]) -> Response:
    envelope = Element(f"{{{SOAP}}}Envelope")
    reply = SubElement(SubElement(envelope, f"{{{SOAP}}}Body"), f"{{{PARTNER}}}{name}Response")
    for result in results:
        _say(SubElement(reply, f"{{{PARTNER}}}result"), result)
    return _xml(envelope, 200, PARTNER)


def _say(parent: Element, values: dict[str, Any]) -> None:
    for name, value in values.items():
        for each in value if isinstance(value, list) else [value]:
            child = SubElement(parent, f"{{{PARTNER}}}{name}")
            if isinstance(each, dict):
                _say(child, each)
            else:
                child.text = each


def _fault(refused: Refused) -> Response:
    envelope = Element(f"{{{SOAP}}}Envelope")
    fault = SubElement(SubElement(envelope, f"{{{SOAP}}}Body"), f"{{{SOAP}}}Fault")
    SubElement(fault, "faultcode").text = f"sf:{refused.code}"
    SubElement(fault, "faultstring").text = f"{refused.code}: {refused.message}"
    detail = SubElement(SubElement(fault, "detail"), f"{{{_FAULTS}}}UnexpectedErrorFault")
    SubElement(detail, f"{{{_FAULTS}}}exceptionCode").text = refused.code
    SubElement(detail, f"{{{_FAULTS}}}exceptionMessage").text = refused.message
    return _xml(envelope, 500)


def _xml(envelope: Element, status: int, plain: str | None = None) -> Response:
    """`plain`: the namespace whose names bear no prefix."""
    text = tostring(envelope, encoding="utf-8", xml_declaration=True, default_namespace=plain)
    return Response(status, {"Content-Type": "text/xml;charset=UTF-8"}, text)
