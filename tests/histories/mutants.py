"""The seeded bugs: what a careful programmer might have got wrong here, each of which histories must find."""

from __future__ import annotations

from mutation import Mutant, Swap

_MARK_SENT = 'actions.set_state(tx, [row.id for row, _ in group], "sent")'


def _unmarked(op: str) -> Swap:
    """Writes of one kind are not in the journal before they are sent."""
    return Swap("sync.sending.apply:Sender._send_group", _MARK_SENT, f'actions.set_state(tx, [row.id for row, _ in group if row.op {op} "create"], "sent")')


_DIFFERENT = "different = {native: [row.seen.get(native), value] for native, value in record.values.items() if row.seen.get(native, _ABSENT) != value}"
_BLIND_CREATE = Swap("sync.sending.apply:Sender._look_up", "if native in self.connected.connector.capabilities.unique:", "if True:")
_NOTHING_FOUND = Swap("sync.sending.settle:_settle_creates", "for name, native in key_of.items():", "for name, native in list(key_of.items())[:0]:")

_HINTS_PAGE = 'yield self._page(_refs(told, ended=cursor is None), query, fetch, _joined(place, cursor or ""))'
_POLLED = """
for page in pull(replace(query, cursor=cursor)):
    yield replace(page, cursor=_joined(place, page.cursor)) if place else page
"""

MUTANTS = (
    # -- the journal, and what happens when nobody knows
    Mutant(
        "create-no-journal",
        "a create is not in the journal when it is sent",
        [_unmarked("!=")],
        masked="the next pull or the look-up before the next create finds the record; see `create-neither`",
    ),
    Mutant("update-no-journal", "an update is not in the journal when it is sent", [_unmarked("==")]),
    Mutant("create-no-lookup", "nobody looks whether a record is there before making it", [_BLIND_CREATE]),
    Mutant("create-neither", "a create is neither in the journal nor looked up", [_unmarked("!="), _BLIND_CREATE]),
    Mutant(
        "retry-no-lookup",
        "a create whose answer was lost counts as not done, without a look",
        [_NOTHING_FOUND],
        masked="the look-up before the next create finds the record; see `retry-blind-create`",
    ),
    Mutant(
        "retry-blind-create",
        "a create whose answer was lost is sent again, without a look before or after",
        [_NOTHING_FOUND, _BLIND_CREATE],
    ),
    Mutant(
        "unknown-replayed",
        "an update whose answer was lost counts as not done, without a look",
        [
            Swap(
                "sync.sending.apply:Sender._write_down",
                'results += [(row.id, "unknown", {"reason": why.reason}, row.attempts + 1) for row, why in unknown]',
                """
                results += [(row.id, "skipped", {"reason": why.reason}, row.attempts + 1) for row, why in unknown]
                people.mark_due(tx, self.session.workspace, people_of(row for row, _ in unknown), now)
                """,
            )
        ],
    ),
    Mutant(
        "unknown-assumed-done",
        "an update whose answer was lost counts as done, without a look",
        [Swap("sync.sending.settle:_settle_one", "if all(record.values.get(native) == value for native, value in values.items()):", "if True:")],
    ),
    Mutant(
        "undecidable-not-held",
        "an edit that met a write of unknown outcome is decided like any other",
        [Swap("sync.sending.settle:_not_done", "if third and not answer.history:", "if False:")],
    ),
    Mutant(
        "history-from-ever",
        "any older write of the same value in a field's history counts as the one whose answer was lost",
        [
            Swap(
                "sync.sending.outcome:landed_once",
                "any(change.at >= since and (change.value or None) == value for change in answer.history.get(native, ())) for native, value in values.items()",
                "any((change.value or None) == value for change in answer.history.get(native, ())) for native, value in values.items()",
            )
        ],
    ),
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
        [Swap("connectors.hubspot.pull:pull", "since = max(0, cursor.start - client.settings.overlap_s * 1000)", "since = cursor.start")],
    ),
    # -- merge
    Mutant(
        "last-writer-wins",
        "the newest record wins, whoever changed the field",
        [
            Swap(
                "sync.deciding.merge:_decide",
                "return _open_contest(field, hub, sides, pool, rules)",
                """
                best = max(sides, key=lambda side: (side.stamp, side.system))
                return Verdict(Hub(best.value, hub.version + (best.value != hub.value), best.system), "the newest record")
                """,
            )
        ],
    ),
    Mutant(
        "hub-not-contending",
        "a value that not everybody has seen yet gives way to an edit of its predecessor, without a contest",
        [Swap("sync.deciding.merge:_hub_contends", 'if hub.version == 0 or any(sides[index].say == "edited" for index in pool):', "if True:")],
    ),
    Mutant(
        "hub-always-contends",
        "an edit is weighed against the very value that it replaced",
        [Swap("sync.deciding.merge:_hub_contends", 'if hub.version == 0 or any(sides[index].say == "edited" for index in pool):', "if hub.version == 0:")],
    ),
    Mutant(
        "agreed-unrecorded",
        "what somebody typed gives way without a record, because the hub held it already",
        [
            Swap(
                "sync.deciding.reconcile:_settle_field",
                "decision.overruled.append(Overruled(name, side.system, side.value, new.value, verdict.losers[index]))",
                """
                if side.say != "agreed":
                    decision.overruled.append(Overruled(name, side.system, side.value, new.value, verdict.losers[index]))
                """,
            )
        ],
    ),
    Mutant(
        "conflict-unrecorded",
        "the loser of a conflict is not written down",
        [
            Swap(
                "sync.deciding.reconcile:_settle_field",
                "decision.overruled.append(Overruled(name, side.system, side.value, new.value, verdict.losers[index]))",
                "pass",
            )
        ],
    ),
    Mutant(
        "blank-wins-first",
        "at a first meeting a blank beats a value",
        [
            Swap(
                "sync.deciding.merge:_contends",
                'return side.say in ("edited", "behind") or (side.say == "first" and not is_blank(field, side.value))',
                'return side.say in ("edited", "behind", "first")',
            ),
            Swap("sync.deciding.merge:_open_contest", "elif met:", "elif False:"),
        ],
    ),
    Mutant(
        "clear-ignored",
        "a clear is no edit",
        [
            Swap(
                "sync.deciding.merge:_contends",
                'return side.say in ("edited", "behind") or (side.say == "first" and not is_blank(field, side.value))',
                'return side.say in ("edited", "behind", "first") and not is_blank(field, side.value)',
            )
        ],
    ),
    Mutant(
        "held-written",
        "a field that is a question is merged and written all the same",
        [
            Swap(
                "sync.deciding.reconcile:_reconcile_field",
                'decision.holds.append(Hold(f"undecided:{name}:{undecided.system.name}", name, choices, why))\nreturn',
                'decision.holds.append(Hold(f"undecided:{name}:{undecided.system.name}", name, choices, why))',
            )
        ],
    ),
    # -- matching, creating, deleting
    Mutant(
        "ambiguous-first",
        "of records that cannot be told apart the first is taken",
        [Swap("sync.deciding.match:match", "if reason is not None:", "if False:")],
    ),
    Mutant(
        "second-unasked",
        "a second record that says something else is left alone without a word",
        [Swap("sync.deciding.match:doubts", "if any(not copies(best, row) for row in unsaid):", "if False:")],
    ),
    Mutant(
        "no-tombstone",
        "a record that somebody deleted is made again",
        [
            Swap(
                "sync.deciding.creation:create_missing",
                'present = {link.account for link in links if link.state in ("new", "linked", "gone", "parked") and link.id not in retired}',
                'present = {link.account for link in links if link.state in ("new", "linked", "parked") and link.id not in retired}',
            )
        ],
    ),
    Mutant(
        "moved-not-followed",
        "a record that lives on under another id counts as deleted",
        [
            Swap(
                "sync.looking.observe:absorb",
                "unknown = [ref for moved in seen.moved if (ref := _move(batch, system, moved, sight)) is not None]",
                "gone += sum(_lose(batch, Gone(moved.ref), sight) for moved in seen.moved)\nunknown = []",
            )
        ],
    ),
    Mutant(
        "moved-carries",
        "a record that takes another one's place keeps what that one had agreed",
        [
            Swap(
                "sync.looking.observe:_move",
                'batch.rewritten[target.id] = target._replace(person=old.person, state="linked", carried={}, agreed={})',
                'batch.rewritten[target.id] = target._replace(person=old.person, state="linked", carried=old.carried, agreed={})',
            )
        ],
    ),
    Mutant(
        "restored-anew",
        "a record that comes back from the bin meets its person anew, as if what it says were news",
        [
            Swap(
                "sync.looking.observe:_place",
                'back = row._replace(state="linked" if row.id in batch.returning else "parked", claim=notes)',
                'back = row._replace(state="linked" if row.id in batch.returning else "parked", carried={}, agreed={}, claim=notes)',
            )
        ],
    ),
    # -- writing
    Mutant(
        "absent-undrifted",
        "a field that the look just before a write does not show counts as unchanged",
        [
            Swap(
                "sync.sending.apply:undrifted",
                "return all(native in record.values and record.values[native] == value for native, value in before.items())",
                "return all(record.values.get(native, value) == value for native, value in before.items())",
            )
        ],
    ),
    Mutant(
        "no-reread",
        "a record is written without looking whether it is still what the plan saw",
        [Swap("sync.sending.apply:Sender._look_again", "if isinstance(answer, Present) and undrifted(row, answer.record):", "if isinstance(answer, Present):")],
    ),
    Mutant(
        "no-readback",
        "an acknowledged write is taken to be stored as it was sent",
        [
            Swap(
                "sync.sending.apply:Sender._write_down",
                "case Applied(ref=ref):",
                'case Applied(ref=ref) if row.op == "update":\n    landed.append(Landed(row, Record(ref, 0, {})))\ncase Applied(ref=ref):',
            )
        ],
        masked="a write moves the record's stamp, so the next pull reads what is stored before anything else is planned",
    ),
    Mutant(
        "refused-forgotten",
        "what a system refused counts as written",
        [
            Swap(
                "sync.sending.outcome:Ledger._parked",
                "return link._replace(claim=notes or None)",
                "return link._replace(claim=notes or None, carried={**link.carried, **{name: change[2] for name, change in row.fields.items()}})",
            )
        ],
    ),
    Mutant(
        "due-forgotten",
        "whoever became due while a run was under way is forgotten at its end",
        [Swap("sync.sending.apply:Sender._leave", "people.mark_due(tx, self.session.workspace, people_of(rows), now)", "pass")],
        masked="a row that was skipped keeps its person due until a later run",
    ),
    # -- the stage
    Mutant(
        "stage-one-side",
        "of several who moved a stage the first one wins",
        [
            Swap(
                "lifecycle.decide:decide",
                "return _move(funnel, hub, asserting, heard, barred, *contest(funnel, hub, heard, conflict, teams=authority is not None))",
                "return _move(funnel, hub, asserting, heard[:1], barred, heard[0].place, {})",
            )
        ],
    ),
    Mutant(
        "stage-lowered-by-old",
        "somebody who had not seen the present stage may lower it",
        [Swap("lifecycle.bids:moved", "return claim.changed and claim.current and not claim.first", "return claim.changed and not claim.first")],
    ),
    Mutant(
        "stage-lowered-by-new",
        "a record that meets the person may lower the stage",
        [Swap("lifecycle.bids:moved", "return claim.changed and claim.current and not claim.first", "return (claim.changed and claim.current) or claim.first")],
    ),
    Mutant(
        "stage-first-met",
        "at a first meeting the stage of the first record counts, not the furthest",
        [Swap("lifecycle.decide:_meet", "stage = _furthest(funnel, (reading.stage for reading in readings))", "stage = readings[0].stage")],
    ),
    Mutant(
        "stage-not-cleared",
        "a stage that goes back is set without being cleared first",
        [Swap("connectors.hubspot.connector:HubSpot.expand", "back = self._goes_back(write)", "back = False")],
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
                "since = max(0, cursor.start - client.settings.overlap_s * 1000)",
                "since = cursor.start if client.settings.hook_secrets else max(0, cursor.start - client.settings.overlap_s * 1000)",
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
