"""Who may call the HubSpot world, and how often."""

from __future__ import annotations

from hubspot_wire import CONTACTS, Portal

from stagesync.sandbox.hubspot import Habits
from stagesync.sandbox.hubspot.limits import Limits


def test_wrong_token_and_missing_scope(portal: Portal) -> None:
    """401 INVALID_AUTHENTICATION and 403 MISSING_SCOPES, each with a correlation id in the body and the headers."""
    portal.world.switch(scopes=["crm.objects.contacts.read"])
    refused = portal.call("POST", CONTACTS, {"properties": {"email": "a@example.com"}})
    assert (refused.status, refused.json["category"]) == (403, "MISSING_SCOPES")
    assert refused.json["errors"][0]["context"]["requiredGranularScopes"] == ["crm.objects.contacts.write"]
    assert portal.search().status == 200
    portal.token = "wrong"
    answer = portal.get("1")
    assert (answer.status, answer.json["category"]) == (401, "INVALID_AUTHENTICATION")
    assert answer.json["correlationId"] and answer.headers["x-hubspot-correlation-id"]


def test_a_token_is_known_by_its_path(portal: Portal) -> None:
    """The first version tells what a token is and forgets a refresh token; one that is not known, or too old, is not there. No token is counted by name."""
    token = portal.world.tokens.mint(60.0)
    assert portal.call("GET", f"/oauth/v1/access-tokens/{token}").json["hub_id"] == 4_710_017
    portal.world.tokens.expire_all()
    assert portal.call("GET", f"/oauth/v1/access-tokens/{token}").status == 404
    path = "/oauth/v1/refresh-tokens/sandbox-refresh"
    assert [portal.call(method, path).status for method in ("GET", "DELETE", "GET")] == [200, 204, 404]
    assert not any("sandbox-refresh" in name or token in name for name in portal.world.calls)


def test_oauth_tokens_age(portal: Portal) -> None:
    """A refresh token gives access tokens that expire; a wrong one is told as BAD_REFRESH_TOKEN; OAuth has no daily headers."""
    form = "client_id=sandbox-client&client_secret=sandbox-secret&grant_type=refresh_token&refresh_token="
    granted = portal.call("POST", "/oauth/2026-09/token", (form + "sandbox-refresh").encode())
    assert (granted.status, granted.json["expires_in"], granted.json["hub_id"]) == (200, 1800, 4_710_017)
    bad = portal.call("POST", "/oauth/v3/token", (form + "nonsense").encode())
    assert (bad.status, bad.json["status"], bad.json["error"]) == (400, "BAD_REFRESH_TOKEN", "invalid_grant")
    portal.token = granted.json["access_token"]
    listed = portal.call("GET", CONTACTS)
    assert listed.status == 200 and listed.headers["X-HubSpot-RateLimit-Max"] == "110" and "X-HubSpot-RateLimit-Daily" not in listed.headers
    assert portal.call("POST", "/_sandbox/hands/expire-tokens", {}).status == 200
    expired = portal.call("GET", CONTACTS)
    assert (expired.status, expired.json["category"]) == (401, "EXPIRED_AUTHENTICATION")


def test_rate_limits_in_three_shapes() -> None:
    """Ten-secondly, search and daily limits answer 429 each in its own shape, without Retry-After."""
    portal = Portal(Habits(rate_limit=True, ten_secondly_max=2, search_per_second=1, daily_max=4))
    first = portal.get("1")
    assert first.headers["X-HubSpot-RateLimit-Remaining"] == "1" and first.headers["X-HubSpot-RateLimit-Daily-Remaining"] == "3"
    portal.get("1")
    rolling = portal.get("1")
    assert (rolling.status, rolling.json["policyName"], rolling.json["errorType"]) == (429, "TEN_SECONDLY_ROLLING", "RATE_LIMIT")
    assert "X-HubSpot-RateLimit-Max" not in portal.search().headers
    search = portal.search()
    assert (search.status, search.json["category"]) == (429, "RATE_LIMITS") and "policyName" not in search.json
    portal.world.switch(ten_secondly_max=10)
    portal.get("1")
    daily = portal.get("1")
    assert (daily.status, daily.json["policyName"], "Retry-After" in daily.headers) == (429, "DAILY", False)
    portal.world.switch(rate_limit=False)
    usage = portal.call("GET", "/account-info/v3/api-usage/daily/private-apps").json["results"][0]
    assert (usage["usageLimit"], usage["currentUsage"]) == (4, 5)


def test_rate_limits_roll_on_real_time() -> None:
    """Ten seconds later the next call passes, a day later the count begins anew."""
    now = [0.0]
    limits, habits = Limits(lambda: now[0]), Habits(rate_limit=True, ten_secondly_max=1, daily_max=2)
    for moment in (0.0, 10.1, 86_500.0):
        now[0] = moment
        assert limits.spend(habits, search=False, oauth=False)["X-HubSpot-RateLimit-Remaining"] == "0"
