"""The store itself: transactions, schema, backups, and a clear message for everything that a disk or a server can do."""

from __future__ import annotations

import importlib
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from stagesync.model.errors import ConfigurationError, NewerSchema, StagesyncError, StateError
from stagesync.state import accounts, links, people
from stagesync.state.inbox_schema import INBOX
from stagesync.state.links import LinkRow
from stagesync.state.schema import REVISION, STATE, Schema
from stagesync.state.sql import Statement
from stagesync.state.store import Store, open_store

SECRET = "anna.schmidt@firm.example"


def plain(url: str) -> str:
    """The URL as psycopg or SQLAlchemy take it."""
    return url.replace("postgresql://", "postgresql+psycopg://")


@contextmanager
def tables(url: str) -> Iterator[sa.Connection]:
    """The database behind the store's back."""
    engine = sa.create_engine(plain(url), poolclass=sa.NullPool)
    with engine.connect() as connection, connection.begin():
        yield connection


def workspaces(store: Store) -> list[str]:
    """The names of all workspaces."""
    with store.read() as tx:
        return [name for (name,) in tx.rows(Statement(sa.text("SELECT name FROM workspace ORDER BY name")), {})]


def refused(url: str, error: type[StagesyncError] = StateError) -> StagesyncError:
    """The error with which this url is refused."""
    with pytest.raises(error) as caught:
        open_store(url).close()
    return caught.value


def path_of(url: str) -> Path:
    """The file behind an SQLite url."""
    return Path(url.removeprefix("sqlite:///").partition("?")[0])


def test_a_transaction_is_kept_whole_or_not_at_all(store: Store) -> None:
    """An error inside the block undoes all of it."""
    with pytest.raises(LookupError), store.write() as tx:
        accounts.workspace(tx, "lost")
        raise LookupError
    with store.write() as tx:
        accounts.workspace(tx, "kept")
    assert workspaces(store) == ["kept"]


def test_what_is_kept_is_there_after_reopening(store_url: str) -> None:
    """The second opening neither creates nor migrates anything."""
    with closing(open_store(store_url)) as store, store.write() as tx:
        accounts.workspace(tx, "main")
    with closing(open_store(store_url)) as store:
        assert workspaces(store) == ["main"]


def test_threads_write_in_turn(store: Store) -> None:
    """Systems are read side by side and each commits its own pages: no write is lost and none fails."""

    def write(system: int) -> None:
        for page in range(5):
            with store.write() as tx:
                accounts.workspace(tx, f"{system}-{page}")
                people.reserve(tx, 10)

    threads = [threading.Thread(target=write, args=(system,)) for system in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(workspaces(store)) == 20
    with store.write() as tx:
        assert people.reserve(tx, 1) == 201


def test_programs_that_start_together_create_the_tables_once(store_url: str) -> None:
    """A scheduler starts several at the same second on a new database."""
    opened: list[Store] = []
    threads = [threading.Thread(target=lambda: opened.append(open_store(store_url))) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [workspaces(store) for store in opened] == [[]] * 12
    for store in opened:
        store.close()


def test_reserved_ids_never_meet(store_url: str) -> None:
    """Two programs on one database, of which one rolls back, never write the same id."""
    taken: list[range] = []
    with closing(open_store(store_url)) as one, closing(open_store(store_url)) as two:
        for store, n in ((one, 3), (two, 5), (one, 2)):
            with store.write() as tx:
                taken.append(range(first := links.reserve(tx, n), first + n))
        with pytest.raises(LookupError), two.write() as tx:
            links.reserve(tx, 4)
            raise LookupError
        with one.write() as tx:
            taken.append(range(first := links.reserve(tx, 1), first + 1))
    everything = [number for some in taken for number in some]
    assert len(everything) == len(set(everything)) == 11


def test_a_write_inside_a_write_is_called_a_mistake(sqlite_url: str) -> None:
    """It would wait for itself until the lock's time is over."""
    with closing(open_store(sqlite_url)) as store, store.write(), pytest.raises(RuntimeError, match="inside"), store.write():
        pass


def test_the_files_are_readable_by_their_owner_only(sqlite_url: str) -> None:
    """Names and addresses of people lie in the database, its log and its index."""
    path = path_of(sqlite_url)
    path.touch(mode=0o644)
    with closing(open_store(sqlite_url)) as store:
        with store.write() as tx:
            accounts.workspace(tx, "main")
        modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    assert modes == {"stagesync.db": 0o600, "stagesync.db-wal": 0o600, "stagesync.db-shm": 0o600}


def test_a_commit_survives_a_power_cut(sqlite_url: str) -> None:
    """The log is written ahead and forced to the disk at each commit, and foreign keys are kept."""
    pragmas = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    with closing(open_store(sqlite_url)) as store, store.read() as tx:
        assert {name: tx.rows(Statement(sa.text(f"PRAGMA {name}")), {})[0][0] for name in pragmas} == pragmas


def test_a_kill_in_the_middle_of_a_transaction_leaves_nothing_of_it(sqlite_url: str) -> None:
    """A process that is killed before its commit was never there."""
    code = """if True:
        import os, sys
        from stagesync.state import accounts, store
        with store.open_store(sys.argv[1]).write() as tx:
            accounts.workspace(tx, "half")
            os.kill(os.getpid(), 9)
    """
    assert subprocess.run([sys.executable, "-c", code, sqlite_url], check=False).returncode == -9
    with closing(open_store(sqlite_url)) as store:
        assert workspaces(store) == []


def test_a_full_disk_loses_nothing_and_says_so(sqlite_url: str) -> None:
    """The transaction that does not fit is undone, the ones before stay, and the next one works when there is room."""
    with closing(open_store(sqlite_url)) as store:
        with store.write() as tx:
            ws, account = accounts.workspace(tx, "main").id, accounts.account(tx, "hubspot", "1", "")
            first = links.reserve(tx, 3000)
            [(pages,)] = tx.rows(Statement(sa.text("PRAGMA page_count")), {})
        rows = [LinkRow(first + i, account, "contact", str(i), None, "new", 1, {"email": SECRET * 20}, {}, {}, None, None) for i in range(3000)]
        with pytest.raises(StateError, match="the disk is full") as caught, store.write() as tx:
            tx.rows(Statement(sa.text(f"PRAGMA max_page_count = {pages + 5}")), {})
            links.insert(tx, ws, rows)
        assert caught.value.exit_code == 5
        assert SECRET not in str(caught.value)
        with store.write() as tx:
            assert links.unmatched(tx, ws, 0, 10) == []
            tx.rows(Statement(sa.text("PRAGMA max_page_count = 100000")), {})
            links.insert(tx, ws, rows)


def test_a_refused_row_shows_none_of_its_values(store: Store) -> None:
    """Neither the message nor anything that a traceback would print holds what somebody entered."""
    with store.write() as tx:
        ws, account = accounts.workspace(tx, "main").id, accounts.account(tx, "hubspot", "1", "")
    rows = [LinkRow(number, account, "contact", SECRET, None, "new", 1, {"email": SECRET}, {}, {}, None, None) for number in (1, 2)]
    with pytest.raises(StateError, match="the database refused a statement") as caught, store.write() as tx:
        links.insert(tx, ws, rows)
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_database_that_somebody_else_writes_is_named(sqlite_url: str) -> None:
    """A browser that forgot its transaction ends in one sentence, not in a hang."""
    with closing(open_store(f"{sqlite_url}?timeout=0.02")) as store, closing(sqlite3.connect(path_of(sqlite_url), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StateError, match="locked by another program"), store.write():
            pass
        other.execute("ROLLBACK")
        with store.write() as tx:
            accounts.workspace(tx, "main")


def _a_picture(path: Path) -> None:
    path.write_bytes(b"\x89PNG" * 4096)


def _a_folder(path: Path) -> None:
    path.mkdir()


def _a_torn_file(path: Path) -> None:
    open_store(f"sqlite:///{path}").close()
    path.write_bytes(path.read_bytes()[: 16384 * 2] + b"\xff" * 16384 * 40)


@pytest.mark.parametrize(("make", "says"), [(_a_picture, "not an SQLite database"), (_a_folder, "a folder, not a file"), (_a_torn_file, "damaged")])
def test_a_file_that_is_not_a_database_is_left_alone(sqlite_url: str, make: Callable[[Path], None], says: str) -> None:
    """Whatever it is, it is named with what to do, and not written over."""
    path = path_of(sqlite_url)
    make(path)
    before = path.read_bytes() if path.is_file() else None
    error = refused(sqlite_url)
    assert says in error.what
    assert str(path) in error.where
    assert error.next_step
    assert (path.read_bytes() if path.is_file() else None) == before


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    """It is not created: a mistyped path would hide the real state."""
    error = refused(f"sqlite:///{tmp_path}/nowhere/stagesync.db")
    assert (error.what, error.where) == ("the folder of the state does not exist", f"{tmp_path}/nowhere")


def test_a_file_without_the_right_to_it_is_named(tmp_path: Path) -> None:
    """As somebody who may not write there; the superuser becomes nobody for the attempt."""
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o500)
    if superuser := os.geteuid() == 0:
        os.seteuid(65534)
    try:
        error = refused(f"sqlite:///{folder}/stagesync.db")
    finally:
        if superuser:
            os.seteuid(0)
    assert error.what == "the state may not be read and written"


@pytest.mark.parametrize("url", ["nonsense", "mysql://host/db", "sqlite://", "sqlite:///:memory:", "sqlite:///file:x?mode=memory&uri=true"])
def test_a_url_that_cannot_hold_the_state_is_a_mistake_in_the_configuration(url: str) -> None:
    """The message shows how to write it."""
    assert "sqlite:///" in refused(url, ConfigurationError).next_step


def test_a_server_that_does_not_answer_is_named_without_the_password(postgres_server: str) -> None:
    """Nobody listens on port 1, and the other server knows no such database: the driver gives no code for either, so one sentence names both."""
    error = refused("postgresql://anna:hunter2@127.0.0.1:1/stagesync")
    assert "cannot be reached" in error.what
    assert "127.0.0.1" in error.where
    assert "hunter2" not in str(error)
    assert "or refuses us" in refused(postgres_server.replace("/postgres?", "/nowhere?")).what


def test_a_database_of_a_newer_program_is_refused_untouched(store_url: str) -> None:
    """An old program that guessed would write half of what the new one needs."""
    open_store(store_url).close()
    with tables(store_url) as connection:
        connection.execute(sa.text("UPDATE stagesync_version SET version_num = '9999'"))
    error = refused(store_url, NewerSchema)
    assert error.exit_code == 2
    assert f"schema 9999, this program knows {REVISION}" in error.what
    assert error.where
    assert "newer version" in error.next_step


def test_tables_of_another_program_are_not_taken_over(store_url: str) -> None:
    """A shared database may have a table `person` of its own."""
    with tables(store_url) as connection:
        connection.execute(sa.text("CREATE TABLE person (id INTEGER)"))
    assert "person" in refused(store_url).what


def shape(connection: sa.Connection) -> Any:
    """Tables, columns, keys and indexes, as the database itself tells them."""
    found = sa.inspect(connection)
    if connection.dialect.name == "sqlite":
        rows = connection.execute(sa.text("SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY name")).all()
        indexes = {name: " ".join(sql.replace('"', "").split()) for name, sql in rows if sql.startswith("CREATE INDEX")}
    else:
        rows = connection.execute(sa.text("SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema()")).all()
        indexes = {name: definition.replace(connection.execute(sa.text("SELECT current_schema()")).scalar_one(), "SCHEMA") for name, definition in rows}
    columns = {
        table: (
            [(column["name"], str(column["type"]), column["nullable"]) for column in found.get_columns(table)],
            found.get_pk_constraint(table)["constrained_columns"],
            sorted((key["constrained_columns"], key["referred_table"]) for key in found.get_foreign_keys(table)),
            sorted(key["column_names"] for key in found.get_unique_constraints(table)),
        )
        for table in found.get_table_names()
    }
    return columns, indexes


@pytest.mark.parametrize("schema", [STATE, INBOX], ids=lambda schema: schema.what)
def test_a_migrated_database_is_like_a_fresh_one(store_url: str, postgres_server: str, tmp_path: Path, schema: Schema) -> None:
    """From before the first revision up to today's, by Alembic, compared with what the tables' definition creates."""
    version = schema.version.name
    with tables(store_url) as connection:
        connection.execute(sa.text(f"CREATE TABLE {version} (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
    with closing(open_store(store_url, schema)), tables(store_url) as connection:
        migrated = shape(connection)
        assert connection.execute(sa.text(f"SELECT version_num FROM {version}")).scalar_one() == schema.revision
    if store_url.startswith("sqlite"):
        fresh_url = f"sqlite:///{tmp_path / 'fresh.db'}"
    else:
        fresh_url = f"{store_url}_fresh"
        with psycopg.connect(postgres_server, autocommit=True) as server:
            server.execute(f"CREATE SCHEMA {fresh_url.rpartition('%3D')[2]}".encode())
    with closing(open_store(fresh_url, schema)), tables(fresh_url) as connection:
        assert shape(connection) == migrated
    assert set(migrated[0]) == {*schema.metadata.tables, version}


def test_before_a_migration_the_file_is_copied(sqlite_url: str) -> None:
    """The copy holds what the old file held, also what was only in its log, and nobody else may read it."""
    path = path_of(sqlite_url)
    with closing(sqlite3.connect(path)) as old:
        old.execute("PRAGMA journal_mode = WAL")
        old.executescript(
            f"CREATE TABLE stagesync_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY); CREATE TABLE memory (it); INSERT INTO memory VALUES ('{SECRET}')"
        )
        open_store(sqlite_url).close()
    backup = path.with_name(f"stagesync.db.before-{REVISION}.bak")
    assert backup.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(backup)) as copy:
        assert copy.execute("SELECT it FROM memory").fetchall() == [(SECRET,)]
        assert copy.execute("SELECT name FROM sqlite_master WHERE name = 'person'").fetchall() == []
    assert not list(path.parent.glob("*.part"))
    shutil.copy(backup, path)
    open_store(sqlite_url).close()


def first_revision(url: str) -> None:
    """Make a database as the first revision made it: by the first migration alone."""
    module = importlib.import_module("stagesync.state.migrations.0001_first_tables")
    engine = sa.create_engine(plain(url), poolclass=sa.NullPool)
    with engine.connect() as connection, connection.begin():
        with Operations.context(MigrationContext.configure(connection)):
            module.upgrade()
        connection.execute(sa.text("CREATE TABLE stagesync_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
        connection.execute(sa.text("INSERT INTO stagesync_version VALUES ('0001')"))


def test_people_and_records_of_the_first_revision_come_over_unharmed(store_url: str) -> None:
    """All that they held is there, what is new is empty, and where the state is a file, the old one lies beside it."""
    first_revision(store_url)
    with tables(store_url) as connection:
        for statement in (
            "INSERT INTO workspace (id, name, synced) VALUES (1, 'main', 1)",
            "INSERT INTO account (id, vendor, ref, name) VALUES (1, 'hubspot', '1', 'A portal')",
            "INSERT INTO person (id, workspace, stage, pass_no, stage_version, canonical, due)"
            " VALUES (7, 1, 'mql', 2, 3, '{\"email\":[\"a\",1,null,null]}', 5)",
            "INSERT INTO link (id, workspace, account, kind, ref, person, state, stamp, seen, agreed, carried, claim)"
            " VALUES (4, 1, 1, 'contact', '20001', 7, 'linked', 9, '{\"email\":\"a\"}', '{}', '{\"stage\":3}', '{\"unmapped\":\"x=y\"}')",
        ):
            connection.exec_driver_sql(statement)
    with closing(open_store(store_url)) as store, store.read() as tx:
        assert people.each(tx, 1, 0, 10) == [people.PersonRow(7, "mql", None, None, 2, 3, {"email": ["a", 1, None, None]}, 5)]
        row = LinkRow(4, 1, "contact", "20001", 7, "linked", 9, {"email": "a"}, {}, {"stage": 3}, {"unmapped": "x=y"}, None)
        assert links.by_ids(tx, [4]) == {4: row}
        assert accounts.workspace(tx, "main") == (1, "main", None, True, False)
        assert accounts.seeded(tx, 1) is None
    if store_url.startswith("sqlite"):
        path = path_of(store_url)
        with closing(sqlite3.connect(path.with_name(f"{path.name}.before-{REVISION}.bak"))) as copy:
            assert copy.execute("SELECT version_num FROM stagesync_version").fetchall() == [("0001",)]
            assert copy.execute("SELECT id, stage, due FROM person").fetchall() == [(7, "mql", 5)]


def test_a_current_database_opens_without_alembic(store_url: str) -> None:
    """Loading it takes longer than everything else at the start."""
    open_store(store_url).close()
    code = "import sys\nfrom stagesync.state import store\nstore.open_store(sys.argv[1]).close()\nprint('alembic' in sys.modules)\n"
    assert subprocess.run([sys.executable, "-c", code, store_url], check=True, capture_output=True, text=True).stdout == "False\n"
