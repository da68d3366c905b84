"""The same reading with nothing around it: httpx for the call, orjson for the answer."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import orjson


def hubspot_rows(config: Path, fields: Sequence[str]) -> Iterator[list[dict[str, Any]]]:
    """Every contact, by the list, a hundred a page."""
    told = tomllib.loads(config.read_text())["systems"]["hubspot"]
    query = {"limit": "100", "properties": ",".join((*fields, "lastmodifieddate"))}
    with httpx.Client(base_url=told["base_url"], headers={"Authorization": f"Bearer {told['token']}"}, timeout=60) as client:
        after = None
        while True:
            answer = client.get("/crm/v3/objects/contacts", params={**query, "after": after} if after else query)
            data = orjson.loads(answer.raise_for_status().content)
            yield data["results"]
            after = ((data.get("paging") or {}).get("next") or {}).get("after")
            if after is None:
                return


def salesforce_rows(config: Path, fields: Sequence[str]) -> Iterator[list[dict[str, Any]]]:
    """Every Lead, by a query, two thousand a page."""
    told = tomllib.loads(config.read_text())["systems"]["salesforce"]
    names = ",".join(dict.fromkeys(("Id", "SystemModstamp", "LastModifiedById", "IsDeleted", *fields)))
    with httpx.Client(base_url=told["instance_url"], headers={"Authorization": f"Bearer {told['access_token']}"}, timeout=60) as client:
        answer = client.get("/services/data/v62.0/query", params={"q": f"SELECT {names} FROM Lead ORDER BY Id"})
        while True:
            data = orjson.loads(answer.raise_for_status().content)
            yield data["records"]
            following = data.get("nextRecordsUrl")
            if following is None:
                return
            answer = client.get(following)
