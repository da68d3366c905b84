"""The contract as tests, for authors of connectors. The built-in ones pass the same.

    from stagesync.connectors.testing import ConnectorContract, Subject

    class TestMyConnector(ConnectorContract):
        @pytest.fixture
        def subject(self):
            ...
            yield Subject(connector=..., kind="contact", ...)

Each test asks for a fresh `subject`: a connector on an account that holds nothing, and the hands of somebody at work in the system's own
screens. Needs pytest only in the suite that subclasses it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ..model.records import Gone, Native, Page, Present, Query, Record, Ref
from ..model.writes import Applied, Rejected, Step, Write
from .contract import Connector

Values = Mapping[str, Native]


@dataclass(frozen=True)
class Subject:
    """A connector under test and what is around it.

    `key` and `text` name two writable native fields of `kind`: the e-mail, and one of plain text. `person(n)` gives the values of the n-th
    person: all different e-mails, everything that a create needs, `key` and `text` filled. `refused` are values that the system refuses when
    they are added to a create. `create`, `edit` and `delete` are somebody's hands, without the connector. `settle`, if given, is called where
    time must pass between a change and the next pull (an index that lags).
    """

    connector: Connector
    kind: str
    key: str
    text: str
    person: Callable[[int], Values]
    refused: Values
    create: Callable[[Values], Ref]
    edit: Callable[[Ref, Values], None]
    delete: Callable[[Ref], None]
    settle: Callable[[], None] = lambda: None


class TellingContract:
    """What the engine relies on in every system, also in one that only tells and cannot be looked at. Subclass it and give the fixture `subject`."""

    def test_the_account_names_itself_the_same_twice(self, subject: Subject) -> None:
        """State is keyed by this id, so it must not change between two looks."""
        first, second = subject.connector.identity(), subject.connector.identity()
        assert first == second
        assert first.vendor
        assert first.id

    def test_an_empty_account_gives_a_page_and_a_cursor(self, subject: Subject) -> None:
        """The last page is always there, empty if need be, so that the cursor moves."""
        pages = _pull(subject)
        assert _records(pages) == {}
        assert pages[-1].cursor
        assert pages[-1].server_time > 0

    def test_a_whole_pull_gives_everybody_with_what_was_asked(self, subject: Subject) -> None:
        """Every record once or more, under its ref, with the asked fields and no others."""
        made = {subject.create(subject.person(number)): subject.person(number) for number in range(7)}
        found = _records(_pull(subject))
        assert found.keys() == made.keys()
        for ref, record in found.items():
            assert record.values == {name: made[ref][name] for name in (subject.key, subject.text)}
            assert record.stamp > 0

    def test_a_later_pull_gives_what_changed(self, subject: Subject) -> None:
        """An edit and a new record after the cursor come with the next pull."""
        old = subject.create(subject.person(1))
        cursor = _pull(subject)[-1].cursor
        subject.edit(old, {subject.text: "Changed"})
        new = subject.create(subject.person(2))
        subject.settle()
        found = _records(_pull(subject, cursor))
        assert found[old].values[subject.text] == "Changed"
        assert new in found

    def test_a_pull_that_broke_off_goes_on_from_any_page(self, subject: Subject) -> None:
        """Each page's cursor covers what came up to it, and nothing else."""
        made = {subject.create(subject.person(number)) for number in range(5)}
        pages = _pull(subject)
        for index, page in enumerate(pages):
            before = _records(pages[: index + 1])
            assert before.keys() | _records(_pull(subject, page.cursor)).keys() >= made

    def test_a_quiet_pull_keeps_the_stamps(self, subject: Subject) -> None:
        """Records that come again without a change bear the same stamp, by which the engine ignores them."""
        ref = subject.create(subject.person(1))
        pages = _pull(subject)
        again = _records(_pull(subject, pages[-1].cursor))
        assert again.get(ref, _records(pages)[ref]).stamp == _records(pages)[ref].stamp

    def test_what_was_deleted_is_told_by_a_sweep(self, subject: Subject) -> None:
        """A pull with `sweep` tells what is gone since the cursor."""
        ref = subject.create(subject.person(1))
        cursor = _pull(subject)[-1].cursor
        subject.delete(ref)
        subject.settle()
        pages = list(subject.connector.pull(Query({subject.kind: (subject.key,)}, cursor, sweep=True)))
        assert ref in {gone.ref for page in pages for gone in page.gone}

    def test_whoever_asks_for_events_gets_the_records_too(self, subject: Subject) -> None:
        """Events come beside the records, never in their place; each is about a kind of record that is described, and told under one key."""
        made = {subject.create(subject.person(number)) for number in range(3)}
        kinds = subject.connector.describe().kinds
        pages = list(subject.connector.pull(Query({subject.kind: (subject.key, subject.text)}, signals=True)))
        assert _records(pages).keys() == made
        assert {sighting.ref.kind for page in pages for sighting in page.signals if sighting.ref is not None} <= kinds.keys()
        keys = [(sighting.signal.source, sighting.signal.key) for page in pages for sighting in page.signals]
        assert len(keys) == len(set(keys))
        assert _records(list(subject.connector.pull(Query({subject.kind: (subject.key,)}, pages[-1].cursor)))).keys() <= made

    def test_what_no_feed_tells_is_only_read(self, subject: Subject) -> None:
        """A field whose changes are told by no feed stands on something else than the record, so it is not written there."""
        unfed = subject.connector.capabilities.unfed
        fields = [field for kind in subject.connector.describe().kinds.values() for name, field in kind.fields.items() if name in unfed]
        assert not any(field.writable or field.creatable or field.required for field in fields)

    def test_calls_are_counted(self, subject: Subject) -> None:
        """Usage grows with each call and never shrinks."""
        before = subject.connector.usage()
        subject.connector.identity()
        _pull(subject)
        after = subject.connector.usage()
        assert after.calls > before.calls
        assert after.vendor_s >= before.vendor_s

    def test_closing_twice_is_no_error(self, subject: Subject) -> None:
        """Whoever cleans up need not know who cleaned up before."""
        subject.connector.close()
        subject.connector.close()


class ConnectorContract(TellingContract):
    """What the engine relies on besides in a system that is looked at and written. Subclass it and give the fixture `subject`."""

    def test_the_description_has_the_fields_that_are_written(self, subject: Subject) -> None:
        """A field that can be written is described as such, under its native name."""
        fields = subject.connector.describe().kinds[subject.kind].fields
        for name in (subject.key, subject.text):
            assert fields[name].name == name
            assert fields[name].writable
            assert fields[name].creatable

    def test_blank_is_none_and_unknown_is_absent(self, subject: Subject) -> None:
        """A cleared field is None; a field that the account has not is not in the values, or was refused by name before."""
        ref = subject.create(subject.person(1))
        subject.edit(ref, {subject.text: None})
        found = _present(subject, [ref])[0]
        assert found.values[subject.text] is None

    def test_fetch_answers_each_ref_in_order(self, subject: Subject) -> None:
        """As many observations as refs, in their order, repeated ones included; one that is not there is no record."""
        one, two = subject.create(subject.person(1)), subject.create(subject.person(2))
        subject.delete(two)
        seen = subject.connector.fetch([two, one, two, one], {subject.kind: (subject.key,)})
        assert len(seen) == 4
        assert [isinstance(each, Present) for each in seen] == [False, True, False, True]
        assert all(isinstance(each, Gone) for each in (seen[0], seen[2]))

    def test_find_gives_exactly_who_has_the_key(self, subject: Subject) -> None:
        """By e-mail, at once after the creation, nobody else, and nothing for a stranger."""
        refs = [subject.create(subject.person(number)) for number in range(3)]
        asked = [str(subject.person(number)[subject.key]) for number in (0, 2)]
        found = subject.connector.find(subject.kind, subject.key, [*asked, "nobody@stranger.example"], (subject.key, subject.text))
        assert {record.ref for record in found} == {refs[0], refs[2]}
        assert all(record.values.keys() == {subject.key, subject.text} for record in found)
        assert subject.connector.find(subject.kind, subject.key, [], (subject.key,)) in ([], ())

    def test_a_create_is_acknowledged_with_its_ref(self, subject: Subject) -> None:
        """The ref in the outcome is where the record is read."""
        outcome = _write(subject, Write(1, "create", subject.kind, None, subject.person(1)))
        assert isinstance(outcome, Applied)
        stored = _present(subject, [outcome.ref])[0]
        assert stored.values == {name: subject.person(1)[name] for name in (subject.key, subject.text)}

    def test_an_update_changes_what_it_names_and_nothing_else(self, subject: Subject) -> None:
        """One value set, then cleared; the others stay. What the answer shows as stored is what is stored."""
        ref = subject.create(subject.person(1))
        for action, value in enumerate(("Set", None), start=1):
            outcome = _write(subject, Write(action, "update", subject.kind, ref, {subject.text: value}))
            assert isinstance(outcome, Applied)
            stored = _present(subject, [ref])[0]
            assert stored.values == {subject.key: subject.person(1)[subject.key], subject.text: value}
            if outcome.stored is not None and subject.text in outcome.stored.values:
                assert outcome.stored.values[subject.text] == value

    def test_one_bad_row_does_not_fail_its_batch(self, subject: Subject) -> None:
        """Outcomes in the order of the steps; the refused row says why, the others are done."""
        writes = [Write(number, "create", subject.kind, None, subject.person(number)) for number in range(1, 5)]
        writes[1] = Write(2, "create", subject.kind, None, {**subject.person(2), **subject.refused})
        steps = [step for write in writes for step in subject.connector.expand(write)]
        outcomes = subject.connector.write(steps)
        assert [type(outcome) for outcome in outcomes] == [Applied, Rejected, Applied, Applied]
        refused = outcomes[1]
        assert isinstance(refused, Rejected)
        assert refused.reason
        refs = [outcome.ref for outcome in outcomes if isinstance(outcome, Applied)]
        found = [record.values[subject.key] for record in _present(subject, refs)]
        assert found == [subject.person(number)[subject.key] for number in (1, 3, 4)]

    def test_an_update_of_a_record_that_is_gone_says_so(self, subject: Subject) -> None:
        """The row is refused as gone; its neighbour is written."""
        gone, there = subject.create(subject.person(1)), subject.create(subject.person(2))
        subject.delete(gone)
        steps = [Step(number, 1, "update", subject.kind, ref, {subject.text: "X"}) for number, ref in enumerate((gone, there), start=1)]
        refused, applied = subject.connector.write(steps)
        assert isinstance(refused, Rejected)
        assert refused.gone
        assert isinstance(applied, Applied)

    def test_an_archived_record_is_gone(self, subject: Subject) -> None:
        """Archiving is acknowledged, and a look tells that the record is gone."""
        ref = subject.create(subject.person(1))
        assert isinstance(_write(subject, Write(1, "archive", subject.kind, ref, {})), Applied)
        assert isinstance(subject.connector.fetch([ref], {subject.kind: (subject.key,)})[0], Gone)

    def test_steps_of_a_write_are_numbered_and_fit_a_batch(self, subject: Subject) -> None:
        """Steps bear the action's number, count from one, and have a batch key with room for at least one."""
        ref = subject.create(subject.person(1))
        steps = subject.connector.expand(Write(9, "update", subject.kind, ref, {subject.text: "X"}, {subject.text: "Y"}))
        assert [(step.id, step.number) for step in steps] == [(9, number) for number in range(1, len(steps) + 1)]
        assert all(subject.connector.capabilities.batch(step)[1] >= 1 for step in steps)
        assert subject.connector.capabilities.reread >= 1


def _pull(subject: Subject, cursor: str | None = None) -> list[Page]:
    return list(subject.connector.pull(Query({subject.kind: (subject.key, subject.text)}, cursor)))


def _records(pages: Sequence[Page]) -> dict[Ref, Record]:
    """The last state that the pages tell of each record."""
    return {record.ref: record for page in pages for record in page.records}


def _present(subject: Subject, refs: Sequence[Ref]) -> list[Record]:
    seen = subject.connector.fetch(refs, {subject.kind: (subject.key, subject.text)})
    return [each.record for each in seen if isinstance(each, Present)]


def _write(subject: Subject, write: Write) -> object:
    """The outcome of the last step."""
    outcome: object = None
    for step in subject.connector.expand(write):
        outcome = subject.connector.write([step])[0]
    return outcome
