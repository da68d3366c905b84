"""Where things are. Numbered and dated versions serve the same resources at different places (HubSpot docs, API versioning)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

TOKENS = ("/oauth/2026-09/token", "/oauth/v3/token", "/oauth/v1/token")
"""The token endpoint, the version to use first; v1 ends on 16 February 2027 (HubSpot changelog, v1 OAuth API deprecation)."""


@dataclass(frozen=True, slots=True)
class Paths:
    """The paths of one API version: `v3`, or a date such as `2026-09`."""

    version: str

    @property
    def _numbered(self) -> bool:
        return self.version.startswith("v")

    @property
    def contacts(self) -> str:
        """The list of contacts; `/search`, `/batch/...` and single ids lie below it."""
        return f"/crm/{self.version}/objects/contacts" if self._numbered else f"/crm/objects/{self.version}/contacts"

    @property
    def companies(self) -> str:
        """The list of companies, like that of contacts."""
        return f"/crm/{self.version}/objects/companies" if self._numbered else f"/crm/objects/{self.version}/companies"

    @property
    def associations(self) -> str:
        """Which records belong together; of the numbered versions the one that knows a primary company (HubSpot docs, Associations v4)."""
        return "/crm/v4/associations" if self._numbered else f"/crm/associations/{self.version}"

    @property
    def exports(self) -> str:
        """Where exports are begun; below it, how far they are."""
        return f"/crm/{self.version}/exports/export/async" if self._numbered else f"/crm/exports/{self.version}/export/async"

    @property
    def alone(self) -> Mapping[str, Any]:
        """How an export says that it wants no associated records: dated versions require to be told, and know a list of them (HubSpot docs, Exports)."""
        said = {"associatedObjectType": (), "includeLabeledAssociations": False, "includePrimaryDisplayPropertyForAssociatedObjects": False}
        return {} if self._numbered else said

    def view(self, filters: Sequence[Mapping[str, str]]) -> Mapping[str, Any]:
        """How an export says which contacts it wants, with all that each kind of version requires (HubSpot docs, Exports)."""
        other = {"query": ""} if self._numbered else {"filterGroups": ()}
        return {"filters": list(filters), "sorts": (), **other}

    @property
    def imports(self) -> str:
        """Where imports are posted and listed; below it, how far one is."""
        return f"/crm/{self.version}/imports" if self._numbered else f"/crm/imports/{self.version}"

    @property
    def properties(self) -> str:
        """The definitions of the contacts' properties."""
        return f"/crm/{self.version}/properties/contacts" if self._numbered else f"/crm/properties/{self.version}/contacts"

    @property
    def owners(self) -> str:
        """Whom contacts can be assigned to."""
        return f"/crm/{self.version}/owners" if self._numbered else f"/crm/owners/{self.version}"

    @property
    def preferences(self) -> str:
        """Who wants which mail; of the numbered versions only this one can opt an address out of everything."""
        return f"/communication-preferences/{'v4' if self._numbered else self.version}"

    @property
    def accounts(self) -> tuple[str, str]:
        """Whose portal this is: at our version, else at the other kind of version, since not every version serves every resource."""
        other = "2026-09" if self._numbered else "v3"
        return f"/account-info/{self.version}/details", f"/account-info/{other}/details"
