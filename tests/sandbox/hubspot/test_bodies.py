"""Any body posted to the HubSpot world is answered as HubSpot answers."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hubspot_wire import CONTACTS, Portal
from hypothesis import given
from hypothesis import strategies as st

_WORDS = st.sampled_from(["id", "email", "idProperty", "inputs", "properties", "filterGroups", "filters", "sorts", "value", "values", "operator", "EQ", "IN"])
_SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5) | _WORDS
_JSON = st.recursive(_SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORDS, inner, max_size=5), max_leaves=15)
_PARTS = ["id", "idProperty", "properties", "objectWriteTraceId", "associations", "from", "to", "types", "name"]
_ROWS = st.lists(st.dictionaries(st.sampled_from(_PARTS), _JSON), max_size=3)
_FILTERS = st.lists(st.dictionaries(st.sampled_from(["propertyName", "operator", "value", "values", "highValue"]), _JSON), max_size=3)
_CONTACTS = ["", "/search", "/merge", "/gdpr-delete", *(f"/batch/{deed}" for deed in ("read", "create", "update", "upsert", "archive"))]
_ENDPOINTS = [
    *(CONTACTS + path for path in _CONTACTS),
    *(f"/crm/v3/objects/companies{path}" for path in ("", "/search", "/batch/read", "/batch/create")),
    *(f"/crm/v4/associations/contacts/companies/batch/{deed}" for deed in ("create", "associate/default", "archive", "read")),
    *(f"/crm/v4/associations/companies/contacts/batch/{deed}" for deed in ("create", "associate/default", "archive", "read")),
    *(f"/crm/v3/properties/contacts{path}" for path in ("", "/batch/read", "/batch/create", "/batch/archive")),
]


@given(st.sampled_from(_ENDPOINTS), st.dictionaries(_WORDS, _JSON) | _ROWS.map(lambda rows: {"inputs": rows}) | _FILTERS.map(lambda f: {"filters": f}))
def test_no_body_breaks_the_world(path: str, body: Any) -> None:
    """Whatever JSON is posted, the answer is HubSpot's, never a failure of the world itself."""
    portal = Portal()
    portal.world.load([{"email": "a@example.com", "hs_object_id": "1"}])
    try:
        sent = orjson.dumps(body)
    except TypeError:  # an integer beyond 64 bits
        return
    assert portal.call("POST", path, sent).status < 500


@pytest.mark.parametrize("path", ["/search", "/batch/read"])
@pytest.mark.parametrize("member", ["properties", "propertiesWithHistory"])
def test_names_that_are_no_list(portal: Portal, path: str, member: str) -> None:
    """What is to be shown is named in a list; a search knows no history."""
    answer = portal.call("POST", CONTACTS + path, {"inputs": [], member: True})
    assert answer.status == (200 if (path, member) == ("/search", "propertiesWithHistory") else 400)


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"properties": 5}'])
def test_malformed_bodies(portal: Portal, body: bytes) -> None:
    """Anything but a JSON object with properties is a 400 with a reason."""
    answer = portal.call("POST", CONTACTS, body)
    assert (answer.status, answer.json["category"]) == (400, "VALIDATION_ERROR")
