"""Somebody on the sandbox company's site and in its mails: HubSpot calculates from that what no API may write."""

from __future__ import annotations

import pytest

from stagesync.sandbox.clock import WorldClock
from stagesync.sandbox.hubspot import HubSpotWorld


class Site:
    """A portal whose time moves a minute before each deed."""

    def __init__(self) -> None:
        self.at = 1_772_357_400.0
        self.world = HubSpotWorld(clock=WorldClock(lambda: self.at))

    def later(self) -> HubSpotWorld:
        """The portal, a minute later."""
        self.at += 60
        return self.world

    def contact(self, id: str) -> dict[str, str]:
        """What stands in the contact."""
        return next(each["properties"] for each in self.world.contacts() if each["id"] == id)


@pytest.fixture
def site() -> Site:
    """A portal with nobody in it."""
    return Site()


def test_forms(site: Site) -> None:
    """The first form makes the contact; the last one is overwritten, the first one stays, and the counts grow."""
    made = site.later().submit_form("Anna@A.example", "Newsletter", {"lastname": "Ash"})
    first = site.contact(made)
    assert (first["email"], first["recent_conversion_event_name"], first["recent_conversion_date"]) == ("anna@a.example", "Newsletter", "2026-03-01T09:31:00Z")
    assert first["first_conversion_date"] == first["recent_conversion_date"]
    assert site.later().submit_form("anna@a.example", "E-book", {"city": "Bonn"}) == made
    assert site.later().submit_form("anna@a.example", "E-book") == made
    now = site.contact(made)
    assert (now["first_conversion_event_name"], now["first_conversion_date"]) == ("Newsletter", "2026-03-01T09:31:00Z")
    assert (now["recent_conversion_event_name"], now["recent_conversion_date"]) == ("E-book", "2026-03-01T09:33:00Z")
    assert (now["num_conversion_events"], now["num_unique_conversion_events"], now["city"], now["lastname"]) == ("3", "2", "Bonn", "Ash")
    assert now["lastmodifieddate"] == "2026-03-01T09:33:00Z"


def test_the_original_source_is_set_once(site: Site) -> None:
    """The latest source follows each visit, the original one stays as the first was."""
    made = site.later().create({"email": "anna@a.example"})
    assert "hs_analytics_source" not in site.contact(made)
    site.later().visit(made, "PAID_SEARCH", "adwords", pages=3)
    site.later().visit(made, "REFERRALS", "partner.example", pages=2)
    now = site.contact(made)
    assert (now["hs_analytics_source"], now["hs_analytics_source_data_1"]) == ("PAID_SEARCH", "adwords")
    assert (now["hs_latest_source"], now["hs_latest_source_data_1"]) == ("REFERRALS", "partner.example")
    assert (now["hs_analytics_num_visits"], now["hs_analytics_num_page_views"]) == ("2", "5")
    assert (now["hs_analytics_first_timestamp"], now["hs_analytics_last_timestamp"]) == ("2026-03-01T09:32:00Z", "2026-03-01T09:33:00Z")


def test_e_mails(site: Site) -> None:
    """Each deed has its count and its last time."""
    made = site.later().create({"email": "anna@a.example"})
    for deed in ("open", "open", "click", "reply"):
        site.later().on_email(made, deed)
    now = site.contact(made)
    assert (now["hs_email_open"], now["hs_email_click"], now["hs_email_replied"]) == ("2", "1", "1")
    assert (now["hs_email_last_open_date"], now["hs_email_last_reply_date"]) == ("2026-03-01T09:33:00Z", "2026-03-01T09:35:00Z")


def test_what_cannot_be_is_told(site: Site) -> None:
    """An unknown source, deed, property or contact changes nothing and says so."""
    made = site.later().create({"email": "anna@a.example"})
    before = site.contact(made)
    for deed in (
        lambda: site.world.visit(made, "HEARSAY"),
        lambda: site.world.on_email(made, "forward"),  # pyright: ignore[reportArgumentType] - what comes over HTTP may be any word
        lambda: site.world.submit_form("nobody", "E-book"),
        lambda: site.world.submit_form("ben@b.example", "E-book", source="HEARSAY"),
        lambda: site.world.submit_form("ben@b.example", "E-book", {"nothing_such": "x"}),
    ):
        with pytest.raises(ValueError, match=r"."):
            deed()
    with pytest.raises(LookupError):
        site.world.visit("7")
    assert [site.contact(made)] == [each["properties"] for each in site.world.contacts()] == [before]
