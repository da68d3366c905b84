"""How clients of many makers call an org, over sockets: each habit was met in a public package, and is within the vendor's documents."""

from __future__ import annotations

import base64
import gzip
import http.client
import json
import time
from collections.abc import Iterator
from xml.etree import ElementTree

import httpx
import pytest

from stagesync.sandbox.salesforce import SalesforceWorld
from stagesync.sandbox.server import serve

SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
NAMESPACES = {"u": "urn:partner.soap.sforce.com", "c": "urn:enterprise.soap.sforce.com"}


@pytest.fixture(scope="module")
def org() -> Iterator[httpx.Client]:
    """An org with one Lead, and somebody who has a session there."""
    world = SalesforceWorld()
    world.create("Lead", {"LastName": "Ray", "Company": "Acme"})
    with serve(world) as url, httpx.Client(base_url=url, headers={"Authorization": "Bearer 00D-sandbox-session"}) as client:
        yield client


def login(letter: str, call: str = "login") -> bytes:
    """The envelope of a login in the namespace of one of the two WSDLs."""
    space = NAMESPACES.get(letter, "http://soap.sforce.com/2006/04/metadata")
    inner = "<x:username>integration@sandbox.example</x:username><x:password>sandbox-passwordTOKEN</x:password>"
    return (
        '<?xml version="1.0"?><e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/">'
        f'<e:Body><x:{call} xmlns:x="{space}">{inner}</x:{call}></e:Body></e:Envelope>'
    ).encode()


def test_headers_are_spelt_as_the_vendor_spells_them(org: httpx.Client) -> None:
    """Names of headers know no case, and still there are clients that look for one spelling."""
    link = http.client.HTTPConnection(str(org.base_url.host), org.base_url.port)
    link.request("GET", "/services/data/v66.0/limits", headers=dict(org.headers))
    names = [name for name, _ in link.getresponse().getheaders()]
    link.close()
    assert {"Content-Type", "Date", "Sforce-Limit-Info"} <= set(names)


@pytest.mark.parametrize("exp", [lambda: int(time.time()) + 180, lambda: str(int(time.time()) + 180), lambda: time.time() + 180])
def test_an_assertion_may_tell_its_end_as_text(org: httpx.Client, exp: object) -> None:
    """simple-salesforce writes the number of seconds as text."""
    assert callable(exp)
    claims = {"iss": "sandbox-consumer-key", "sub": "integration@sandbox.example", "aud": "https://login.salesforce.com", "exp": exp()}
    parts = [base64.urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=").decode() for each in ({"alg": "RS256"}, claims)]
    form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": ".".join([*parts, "c2lnbmVk"])}
    assert org.post("/services/oauth2/token", data=form).status_code == 200
    claims["exp"] = "soon"
    form["assertion"] = ".".join([parts[0], base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode(), "c2lnbmVk"])
    assert org.post("/services/oauth2/token", data=form).json()["error"] == "invalid_grant"


def test_bodies_may_come_compressed(org: httpx.Client) -> None:
    """REST and SOAP take requests in gzip (REST API Developer Guide, Compression); one that is no gzip is not understood."""
    packed = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    body = json.dumps({"LastName": "Packed", "Company": "Acme"}).encode()
    assert org.post("/services/data/v66.0/sobjects/Lead", headers=packed, content=gzip.compress(body)).status_code == 201
    broken = org.post("/services/data/v66.0/sobjects/Lead", headers=packed, content=gzip.compress(body)[:-9])
    assert (broken.status_code, broken.json()[0]["errorCode"]) == (400, "JSON_PARSER_ERROR")
    assert org.post("/services/Soap/u/59.0", headers={"Content-Encoding": "gzip"}, content=gzip.compress(login("u"))).status_code == 200


def test_who_am_i(org: httpx.Client) -> None:
    """The version's resources name the identity URL, which tells the user, as the token's own answer does; without a session nobody is told."""
    url = org.get("/services/data/v66.0/").json()["identity"]
    told = org.get(url).json()
    assert (told["id"], told["username"], told["user_type"]) == (url, "integration@sandbox.example", "STANDARD")
    assert told["urls"]["rest"] == f"{org.base_url}/services/data/v{{version}}/"
    assert org.get(url, headers={"Authorization": "Bearer none"}).status_code == 403
    assert org.get(f"{url}X").status_code == 403


@pytest.mark.parametrize("letter", ["u", "c"])
def test_login_by_either_wsdl(org: httpx.Client, letter: str) -> None:
    """Partner and enterprise: the same login, each in its own namespace, with all of a user's settings; the session is good for REST."""
    answer = org.post(f"/services/Soap/{letter}/59.0", content=login(letter))
    space = f"{{{NAMESPACES[letter]}}}"
    result = ElementTree.fromstring(answer.content).find(f"{SOAP}Body/{space}loginResponse/{space}result")
    assert answer.status_code == 200
    assert result is not None
    assert result.findtext(f"{space}serverUrl") == f"{org.base_url}/services/Soap/{letter}/59.0/00D5g000004XYZA"
    assert result.findtext(f"{space}metadataServerUrl") == f"{org.base_url}/services/Soap/m/59.0/00D5g000004XYZA"
    assert result.findtext(f"{space}userInfo/{space}userTimeZone") == "Europe/Berlin"
    assert result.findtext(f"{space}userInfo/{space}accessibilityMode") == "false"
    session = {"Authorization": f"Bearer {result.findtext(f'{space}sessionId')}"}
    assert org.get("/services/data/v59.0/limits", headers=session).status_code == 200
    wrong = org.post(f"/services/Soap/{letter}/59.0", content=login(letter).replace(b"sandbox-password", b"wrong"))
    assert (wrong.status_code, b"INVALID_LOGIN" in wrong.content) == (500, True)


@pytest.mark.parametrize("path", ["/services/Soap/m/59.0", "/services/Soap/T/59.0/00D5g000004XYZA", "/services/Soap/class/Mine"])
def test_other_soap_apis_are_not_there(org: httpx.Client, path: str) -> None:
    """A fault that says so, and not that the session is over: whoever believed that would log in again for ever."""
    answer = org.post(path, content=login("m", "describeMetadata"))
    fault = ElementTree.fromstring(answer.content).find(f"{SOAP}Body/{SOAP}Fault")
    assert answer.status_code == 500
    assert fault is not None
    assert fault.findtext("faultcode") == "sf:UNKNOWN_EXCEPTION"
    assert "describeMetadata" in (fault.findtext("faultstring") or "")
