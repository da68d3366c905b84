"""Seeded bugs of writing: the journal, creates, and answers that were lost."""

from __future__ import annotations

from mutation import Mutant, Swap

_MARK_SENT = 'actions.set_state(tx, [row.id for row, _ in group], "sent")'


def _unmarked(op: str) -> Swap:
    """Writes of one kind are not in the journal before they are sent."""
    return Swap("sync.sending.apply:Sender._send_group", _MARK_SENT, f'actions.set_state(tx, [row.id for row, _ in group if row.op {op} "create"], "sent")')


_BLIND_CREATE = Swap("sync.sending.apply:Sender._look_up", "if native in self.connected.connector.capabilities.unique:", "if True:")
_NOTHING_FOUND = Swap("sync.sending.settle:_settle_creates", "for name, native in key_of.items():", "for name, native in list(key_of.items())[:0]:")

WRITES = (
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
        [Swap("sync.sending.settle:_settle_one", "if values.items() <= record.values.items():  # what is not shown is not blank", "if True:")],
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
)
