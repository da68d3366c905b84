"""Each answer of the HubSpot world has the fields, types and enumerated values of the official client's own models: no more of them required than are there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

import httpx
import pytest
from hubspot.crm.contacts import Configuration

from stagesync.sandbox.hubspot import HubSpotWorld
from stagesync.sandbox.server import serve

CONTACTS = "/crm/v3/objects/contacts"
ONE = "/crm/v4/objects/contacts"
COMPANIES = "/crm/v3/objects/companies"
LINKS = "/crm/v4/associations/contacts/companies/batch"
PROPERTIES = "/crm/v3/properties/contacts"
PRIMARY = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1}]
PAGE = "CollectionResponseSimplePublicObjectWithAssociationsForwardPaging"
FOUND = "CollectionResponseWithTotalSimplePublicObjectForwardPaging"
BATCH, UPSERT = "BatchResponseSimplePublicObject", "BatchResponseSimplePublicUpsertObject"
PROPERTY = {"label": "Z", "type": "string", "fieldType": "text", "groupName": "contactinformation"}
NAMELESS = {"id": "1", "properties": {"city": "Bonn"}, "objectWriteTraceId": "b"}
SORT = '{"propertyName": "createdate", "direction": "DESCENDING"}'
CALLS: list[tuple[str, str, str, str, Any, int]] = [
    ("crm.contacts", PAGE, "GET", f"{CONTACTS}?limit=2&associations=companies&propertiesWithHistory=email,city&properties=email", None, 200),
    ("crm.contacts", PAGE, "GET", f"{CONTACTS}?archived=true", None, 200),
    ("crm.contacts", "SimplePublicObjectWithAssociations", "GET", f"{CONTACTS}/{{a}}?associations=companies&propertiesWithHistory=city", None, 200),
    ("crm.contacts", "SimplePublicObject", "POST", CONTACTS, {"properties": {"email": "new@x.example"}, "associations": []}, 201),
    ("crm.contacts", "SimplePublicObject", "PATCH", f"{CONTACTS}/{{a}}", {"properties": {"city": "Ulm"}}, 200),
    ("crm.contacts", "SimplePublicObject", "POST", f"{CONTACTS}/merge", {"primaryObjectId": "{d}", "objectIdToMerge": "{e}"}, 200),
    ("crm.contacts", FOUND, "POST", f"{CONTACTS}/search", {"filterGroups": [], "limit": 1, "after": "0", "properties": [], "sorts": ["-createdate"]}, 200),
    ("crm.contacts", FOUND, "POST", f"{CONTACTS}/search", {"filterGroups": [], "limit": 1, "after": 0, "properties": [], "sorts": [SORT]}, 200),
    ("crm.contacts", BATCH, "POST", f"{CONTACTS}/batch/read", {"inputs": [{"id": "{a}"}], "properties": [], "propertiesWithHistory": ["city"]}, 200),
    ("crm.contacts", f"{BATCH}WithErrors", "POST", f"{CONTACTS}/batch/read", {"inputs": [{"id": "{a}"}, {"id": "1"}]}, 207),
    ("crm.contacts", BATCH, "POST", f"{CONTACTS}/batch/create", {"inputs": [{"properties": {"lastname": "L"}, "objectWriteTraceId": "a"}]}, 201),
    ("crm.contacts", BATCH, "POST", f"{CONTACTS}/batch/update", {"inputs": [{"id": "{a}", "properties": {}}]}, 200),
    ("crm.contacts", f"{BATCH}WithErrors", "POST", f"{CONTACTS}/batch/update", {"inputs": [NAMELESS]}, 207),
    ("crm.contacts", UPSERT, "POST", f"{CONTACTS}/batch/upsert", {"inputs": [{"id": "up@x.example", "idProperty": "email", "properties": {}}]}, 200),
    ("crm.companies", PAGE, "GET", f"{COMPANIES}?limit=1", None, 200),
    ("crm.companies", FOUND, "POST", f"{COMPANIES}/search", {"filterGroups": [], "limit": 1, "after": "0", "properties": [], "sorts": []}, 200),
    ("crm.companies", BATCH, "POST", f"{COMPANIES}/batch/create", {"inputs": [{"properties": {"name": "X"}, "associations": []}]}, 201),
    ("crm.companies", f"{BATCH}WithErrors", "POST", f"{COMPANIES}/batch/read", {"inputs": [{"id": "{c}"}, {"id": "1"}], "properties": ["name"]}, 207),
    ("crm.associations.v4", "BatchResponsePublicAssociationMultiWithLabel", "POST", f"{LINKS}/read", {"inputs": [{"id": "{a}"}]}, 200),
    ("crm.associations.v4", "BatchResponsePublicAssociationMultiWithLabelWithErrors", "POST", f"{LINKS}/read", {"inputs": [{"id": "{b}"}]}, 207),
    (
        "crm.associations.v4",
        "BatchResponseLabelsBetweenObjectPair",
        "POST",
        f"{LINKS}/create",
        {"inputs": [{"from": {"id": "{b}"}, "to": {"id": "{c}"}, "types": PRIMARY}]},
        201,
    ),
    (
        "crm.associations.v4",
        "BatchResponsePublicDefaultAssociation",
        "POST",
        f"{LINKS}/associate/default",
        {"inputs": [{"from": {"id": "{b}"}, "to": {"id": "{c}"}}]},
        200,
    ),
    ("crm.properties", "CollectionResponsePropertyNoPaging", "GET", PROPERTIES, None, 200),
    ("crm.properties", "CollectionResponsePropertyGroupNoPaging", "GET", f"{PROPERTIES}/groups", None, 200),
    ("crm.properties", "ModelProperty", "POST", PROPERTIES, {**PROPERTY, "name": "zz"}, 201),
    ("crm.properties", "BatchResponseProperty", "POST", f"{PROPERTIES}/batch/read", {"archived": False, "inputs": [{"name": "email"}]}, 200),
    ("crm.properties", "BatchResponsePropertyWithErrors", "POST", f"{PROPERTIES}/batch/read", {"inputs": [{"name": "email"}, {"name": "none"}]}, 207),
    ("crm.properties", "BatchResponseProperty", "POST", f"{PROPERTIES}/batch/create", {"inputs": [{**PROPERTY, "name": "zy"}]}, 201),
    ("crm.associations.v4", "CollectionResponseMultiAssociatedObjectWithLabelForwardPaging", "GET", f"{ONE}/{{a}}/associations/companies", None, 200),
    ("crm.associations.v4", "CollectionResponseMultiAssociatedObjectWithLabelForwardPaging", "GET", f"{ONE}/{{d}}/associations/companies", None, 200),
    ("crm.contacts", "CollectionResponseAssociatedId", "GET", f"{CONTACTS}/{{a}}/associations/companies", None, 200),
    ("oauth", "RefreshTokenInfoResponse", "GET", "/oauth/v1/refresh-tokens/sandbox-refresh", None, 200),
    ("oauth", "AccessTokenInfoResponse", "GET", "/oauth/v1/access-tokens/{t}", None, 200),
    ("crm.owners", "CollectionResponsePublicOwnerForwardPaging", "GET", "/crm/v3/owners/?limit=1", None, 200),
]
"""Package, model, call, body and status.

In paths and bodies, {a} is a contact with a company, {c} the company, {b}, {d} and {e} have none; {t} is an access token.
"""
_LEFT_OUT = {"StandardError": {"links", "errors"}}
"""What the reference requires of an error among rows, and recordings of HubSpot do not have."""
_PLAIN: Mapping[str, type] = {"str": str, "int": int, "bool": bool, "object": object}


@pytest.fixture(scope="module")
def portal() -> Iterator[tuple[str, dict[str, str]]]:
    """The portal's address, and who is in it."""
    world = HubSpotWorld()
    a, b, d, e, gone = world.load([{"email": f"{name}@x.example", "city": "Bonn"} for name in "abdez"])
    c = world.create_company("Acme", "acme.example")
    world.associate(a, c)
    world.archive(gone)
    with serve(world) as url:
        yield url, {"{a}": a, "{b}": b, "{c}": c, "{d}": d, "{e}": e, "{t}": world.tokens.mint(1800.0)}


def filled(given: Any, names: Mapping[str, str]) -> Any:
    """With the ids in their places."""
    match given:
        case str():
            return next((given.replace(name, id) for name, id in names.items() if name in given), given)
        case list():
            return [filled(each, names) for each in given]
        case dict():
            return {key: filled(each, names) for key, each in given.items()}
        case _:
            return given


def faults(package: Any, kind: str, value: Any, where: str) -> Iterator[str]:
    """Where a value is not of the model's kind."""
    many = re.fullmatch(r"(list|dict)\[(?:str, )?(.*)\]", kind)
    if value is None:
        return
    if many is not None:
        if type(value).__name__ != many[1]:
            yield f"{where} is no {many[1]}: {value!r}"
            return
        for each in value.values() if isinstance(value, dict) else value:
            yield from faults(package, many[2], each, f"{where}[]")
    elif kind == "datetime":
        if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", str(value)):
            yield f"{where} is no moment: {value!r}"
    elif kind in _PLAIN:
        if not isinstance(value, _PLAIN[kind]):
            yield f"{where} is no {kind}: {value!r}"
    else:
        yield from _faults_of_model(package, kind, value, where)


def _faults_of_model(package: Any, kind: str, value: dict[str, Any], where: str) -> Iterator[str]:
    model = getattr(package, kind)
    names: dict[str, str] = model.attribute_map
    for attribute, name in names.items():
        yield from faults(package, model.openapi_types[attribute], value.get(name), f"{where}.{name}")
    strict = Configuration()
    strict.client_side_validation = True
    given = {attribute: value.get(name, "" if name in _LEFT_OUT.get(kind, ()) else None) for attribute, name in names.items()}
    try:
        model(**given, local_vars_configuration=strict)
    except ValueError as error:
        yield f"{where}: {error}"


@pytest.mark.parametrize(("area", "model", "method", "path", "body", "status"), CALLS)
def test_answers_fit_the_official_models(portal: tuple[str, dict[str, str]], area: str, model: str, method: str, path: str, body: Any, status: int) -> None:
    """Required fields are there, enumerated values are known, and nothing is of another type."""
    url, ids = portal
    asked = filled(body, ids)
    answer = httpx.request(method, url + filled(path, ids), json=asked, headers={"Authorization": "Bearer pat-sandbox-token"}, trust_env=False)
    assert answer.status_code == status, answer.text
    assert list(faults(import_module(f"hubspot.{area}"), model, answer.json(), model)) == []
