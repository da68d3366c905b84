"""Throw-away contacts: made under addresses that nobody has, found again by them, and archived."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ....model.errors import StagesyncError
from ...manners import Answer
from ...probing import Untold
from ..client import Client
from ..errors import rejection
from ..paths import Paths

IN_THE_BIN = "its contacts, in the recycle bin for 90 days"


class Contacts:
    """The contacts of one experiment. `example.com` belongs to nobody (RFC 2606); the token is in every address and name."""

    def __init__(self, client: Client, token: str) -> None:
        self.client = client
        self.clock = client.clock
        self.token = token
        self._addresses: list[str] = []
        self._ids: list[str] = []

    @property
    def name(self) -> str:
        """The last name of all contacts of this experiment."""
        return f"stagesync probe {self.token}"

    @property
    def path(self) -> str:
        """Contacts in the configured version."""
        return self.client.paths.contacts

    def address(self) -> str:
        """A new address. Whatever gets it is cleared away."""
        self._addresses.append(f"stagesync-probe-{self.token}-{len(self._addresses) + 1}@example.com")
        return self._addresses[-1]

    def contact(self, **values: str) -> str:
        """Make a contact; gives its id. Raises `Untold` where it is refused."""
        given = {"email": values.pop("email", None) or self.address(), "lastname": self.name, **values}
        told = self.done("POST", self.path, {"properties": given, "associations": []})
        self._ids.append(str(told["id"]))
        return self._ids[-1]

    def merged(self) -> tuple[str, str, str]:
        """Two contacts merged into one: (an id that was merged away, the id of the one that is left, its secondary address)."""
        secondary = self.address()
        primary, other = self.contact(), self.contact(email=secondary)
        left = str(self.done("POST", f"{self.path}/merge", {"primaryObjectId": primary, "objectIdToMerge": other})["id"])
        self._ids.append(left)
        return other, left, secondary

    def shown(self, id: str, *names: str) -> Mapping[str, Any]:
        """These properties of a contact as they are now."""
        return self.client.expected(self.client.get(f"{self.path}/{id}", [("properties", name) for name in names]))["properties"]

    def told(self, path: str, body: Mapping[str, Any]) -> Answer:
        """A call that changes something, refused or not."""
        return self.client.call("POST", path, body=body, repeatable=False, changes=True)

    def done(self, method: str, path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """What a call says that has no business being refused. Raises `Untold`."""
        answer = self.client.call(method, path, body=body, repeatable=False, changes=True)
        if not answer.ok:
            raise Untold(f"the account refuses what the experiment needs: {refusal(answer)}")
        return answer.data

    def patch(self, id: str, values: Mapping[str, str], version: str | None = None) -> Answer:
        """Change a contact, by the paths of this version, else of the configured one."""
        path = Paths(version).contacts if version else self.path
        return self.client.call("PATCH", f"{path}/{id}", body={"properties": values}, repeatable=True, changes=True)

    def outwait(self) -> None:
        """As long as a request of ours may be on its way."""
        self.clock.sleep(self.client.line.patience.lands_s)

    def clear(self) -> str:
        """Archive every contact that was made, or may have been: in two calls."""
        if not self._addresses:
            return ""
        try:
            rows = [{"id": address} for address in self._addresses]
            answer = self.client.read(f"{self.path}/batch/read", {"idProperty": "email", "properties": ["email"], "propertiesWithHistory": [], "inputs": rows})
            ids = list(dict.fromkeys([*(str(row["id"]) for row in (answer.data or {}).get("results") or []), *self._ids]))
            gone = not ids or self._archive(ids)
        except StagesyncError as error:
            return self._left(error.what)
        return "" if gone else self._left("HubSpot refuses to archive them")

    def _archive(self, ids: Sequence[str]) -> bool:
        body = {"inputs": [{"id": id} for id in ids]}
        return self.client.call("POST", f"{self.path}/batch/archive", body=body, repeatable=True, changes=True).ok

    def _left(self, why: str) -> str:
        return f'contacts with the last name "{self.name}" may be left: {why}'


def refusal(answer: Answer) -> str:
    """HubSpot's reason, without anybody's data."""
    found = rejection(answer.data if isinstance(answer.data, dict) else {})
    return f"{found.code}: {found.reason}"
