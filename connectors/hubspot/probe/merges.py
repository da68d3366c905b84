"""What becomes of the ids and addresses of contacts that were merged."""

from __future__ import annotations

from ...probing import Experiment
from .bench import IN_THE_BIN, Contacts

_LEAVES = f"{IN_THE_BIN}; two of them merged, which nobody can undo"


def _updated(bench: Contacts) -> str:
    away, left, _ = bench.merged()
    row = {"id": away, "properties": {"firstname": "probed"}, "objectWriteTraceId": bench.token}
    answer = bench.told(f"{bench.path}/batch/update", {"inputs": [row]})
    if not answer.ok or answer.data.get("errors"):
        return "an error"
    if not answer.data.get("results"):
        return "lost without a word"
    return "written to the contact that is left" if str(answer.data["results"][0]["id"]) == left else "written"


def _read(bench: Contacts) -> str:
    away, _, _ = bench.merged()
    answer = bench.client.read(f"{bench.path}/batch/read", {"properties": ["email"], "propertiesWithHistory": [], "inputs": [{"id": away}]})
    return "yes" if answer.ok and answer.data.get("results") else "no"


def _looked_up(bench: Contacts) -> str:
    _, _, secondary = bench.merged()
    return "yes" if bench.client.get(f"{bench.path}/{secondary}", [("idProperty", "email")]).ok else "no"


EXPERIMENTS = (
    Experiment(
        "merged_id_in_batch_update",
        "What becomes of a row of batch/update whose id was merged away?",
        "inputs = results + errors, else the record is looked at; the link follows to the new id",
        "batch_update_loses_merged_ids",
        6,
        _LEAVES,
        _updated,
    ),
    Experiment(
        "batch_read_follows_merges",
        "Does batch/read follow merges?",
        "The id that comes back is compared with the one asked for; a missing one is asked for by itself",
        "batch_read_follows_merges",
        6,
        _LEAVES,
        _read,
    ),
    Experiment(
        "lookup_by_secondary_email",
        "Is a contact found by a secondary e-mail address?",
        "Secondary addresses are match keys of their own, and a conflict on create names the record that stands in the way",
        "email_lookup_finds_secondary",
        6,
        _LEAVES,
        _looked_up,
    ),
)
