"""How an older database becomes one of today: one module per revision, in Alembic's form, `NNNN_what_for.py` with four digits.

To change the schema: change `schema.py`, count up `schema.REVISION`, and add a module with `revision`, `down_revision` and `upgrade()`.
A test compares a migrated database with a fresh one. There is no way down: the backup beside the database is.
"""
