"""Seeded bugs of deciding: the merge, whose record is whose, and the stage."""

from __future__ import annotations

from mutation import Mutant, Swap

DECISIONS = (
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
                "unknown = [ref for moved in in_order(seen.moved) if (ref := _move(batch, system, moved, sight)) is not None]",
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
        "merged-unheard",
        "what a record said last that was merged away before anybody read it is dropped, an opt-out too",
        [
            Swap(
                "sync.looking.last_words:handed_on",
                "unheard = _unheard(system, moved, old) if old is not None else set[str]()",
                "unheard = set[str]()",
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
)
