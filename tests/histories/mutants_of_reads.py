"""Seeded bugs of reading: what was agreed and what is an echo, pages and cursors, and what a system tells by itself."""

from __future__ import annotations

from mutation import Mutant, Swap

_DIFFERENT = "different = {native: [row.seen.get(native), value] for native, value in record.values.items() if row.seen.get(native, _ABSENT) != value}"
_HINTS_PAGE = 'yield self._page(_refs(told, ended=cursor is None), query, fetch, _joined(place, cursor or ""))'
_POLLED = """
for page in pull(replace(query, cursor=cursor)):
    yield replace(page, cursor=_joined(place, page.cursor)) if place else page
"""

READS = (
    # -- agreement and echo
    Mutant(
        "no-echo-suppression",
        "what we wrote ourselves comes back as somebody's edit",
        [
            Swap("sync.sending.outcome:Ledger._updated", "seen={**row.seen, **record.values, **expected},", "seen=row.seen,"),
            Swap("sync.deciding.reconcile:_say", "if same_value(field, value, hub.value):", "if False:"),
        ],
    ),
    Mutant(
        "agreed-before-write",
        "a record counts as carrying a value as soon as the write is planned",
        [
            Swap(
                "sync.deciding.owing:owe",
                'view.owe(name, {field_map.native: native}, seen, native, hub.version, reason or f"owed since version {hub.version}, from {hub.source}")',
                'view.carry(name, hub.version)\nview.owe(name, {field_map.native: native}, seen, native, hub.version, reason or "owed")',
            )
        ],
    ),
    Mutant(
        "foreign-as-ours",
        "a read-back that shows somebody else's value is agreed as if we had written it",
        [Swap("sync.sending.outcome:Ledger._updated", "if not item.ours:", "if False:")],
    ),
    Mutant(
        "loser-at-current",
        "a record that lost a conflict counts as carrying the winner",
        [
            Swap(
                "sync.deciding.reconcile:_settle_field",
                "view.agree(field_map.native)\nview.carry(name, 0)",
                "view.agree(field_map.native)\nview.carry(name, new.version)",
            )
        ],
    ),
    # -- reading
    Mutant(
        "cursor-first",
        "the cursor is committed before the observations that it covers",
        [
            Swap(
                "sync.looking.pulling:_commit",
                """
                with session.store.write() as tx:
                    absorbed = absorb(tx, session.workspace, part.connected.system, seen, run, now)
                """,
                """
                with session.store.write() as tx:
                    _keep_place(tx, session, part)
                with session.store.write() as tx:
                    absorbed = absorb(tx, session.workspace, part.connected.system, seen, run, now)
                """,
            )
        ],
    ),
    Mutant(
        "lagging-read",
        "an older reading of a record replaces a newer one",
        [
            Swap(
                "sync.looking.observe:_update",
                'if record.stamp < row.stamp or row.state == "moved" or record.ref.kind not in system.map.kinds:',
                'if row.state == "moved" or record.ref.kind not in system.map.kinds:',
            )
        ],
    ),
    Mutant(
        "absent-is-empty",
        "a field that a reading does not show counts as blank",
        [
            Swap(
                "sync.looking.observe:_update",
                _DIFFERENT,
                f"record = Record(record.ref, record.stamp, {{**dict.fromkeys(row.seen), **record.values}}, record.author)\n{_DIFFERENT}",
            )
        ],
    ),
    Mutant(
        "unindexed-lost",
        "a pull goes on where the last one began, without an overlap for what the vendor's index shows late",
        [Swap("connectors.hubspot.cursor:Cursor.looks_from", "return max(0, self.start - overlap_s * 1000)", "return self.start")],
    ),
    # -- what a system tells by itself
    Mutant(
        "hint-believed",
        "the value that a webhook tells is taken, not the one that the contact has",
        [
            Swap(
                "connectors.hubspot.hooks:HubSpotHooks._hint",
                "return hint(hashlib.sha256(orjson.dumps(marks)).hexdigest(), KIND, ids, ended=_ENDS[what])",
                """
                found = hint(hashlib.sha256(orjson.dumps(marks)).hexdigest(), KIND, ids, ended=_ENDS[what])
                return Event(found.key, {**found.body, "name": told.get("propertyName"), "value": told.get("propertyValue")})
                """,
            ),
            Swap(
                "connectors.hints:Hints.then",
                _HINTS_PAGE,
                """
                said = {(id, each.event.body["name"]): each.event.body["value"] for each in told for id in each.event.body["ids"]}
                page = self._page(_refs(told, ended=cursor is None), query, fetch, _joined(place, cursor or ""))
                changed = [{name: said.get((record.ref.id, name), value) for name, value in record.values.items()} for record in page.records]
                yield replace(page, records=[replace(record, values=values) for record, values in zip(page.records, changed)])
                """,
            ),
        ],
        hinted=True,
    ),
    Mutant(
        "deletion-believed",
        "a contact counts as deleted because a webhook says so, though it was restored since",
        [
            Swap(
                "connectors.hints:Hints.then",
                _HINTS_PAGE,
                """
                ends = [Ref(each.event.body["kind"], id) for each in told if each.event.body["ended"] for id in each.event.body["ids"]]
                page = self._page(_refs(told, ended=cursor is None), query, fetch, _joined(place, cursor or ""))
                yield replace(page, gone=[*page.gone, *map(Gone, ends)])
                """,
            )
        ],
        hinted=True,
    ),
    Mutant(
        "hints-for-poll",
        "where webhooks came in, what the poll shows is passed over and its cursor moved on: what was lost on the way stays unseen",
        [
            Swap(
                "connectors.hints:Hints.then",
                _POLLED,
                """
                heard = place != _parted(query.cursor)[0]
                for page in pull(replace(query, cursor=cursor)):
                    page = replace(page, records=[]) if heard and cursor else page
                    yield replace(page, cursor=_joined(place, page.cursor)) if place else page
                """,
            )
        ],
        hinted=True,
    ),
    Mutant(
        "no-overlap-with-hints",
        "with webhooks the poll goes on where the last one began, as if they told all that the index shows late",
        [
            Swap(
                "connectors.hubspot.pull:pull",
                'yield from _parts(client, Cursor(part="delta", since=cursor.looks_from(client.settings.overlap_s), sweep=sweep), fields)',
                """
                overlap_s = 0 if client.settings.hook_secrets else client.settings.overlap_s
                yield from _parts(client, Cursor(part="delta", since=cursor.looks_from(overlap_s), sweep=sweep), fields)
                """,
            )
        ],
        hinted=True,
    ),
    Mutant(
        "echo-heard",
        "a webhook about our own write is taken for news",
        [
            Swap(
                "connectors.hubspot.hooks:HubSpotHooks._is_ours",
                'return told.get("changeSource") == "INTEGRATION" and ours is not None and str(told.get("sourceId")) == str(ours)',
                "return False",
            )
        ],
        masked="the contact is read again and shows what was agreed, which is no change",
        hinted=True,
    ),
)
