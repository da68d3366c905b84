"""Runs the two worlds over real sockets, and writes the configuration that points at them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from ...mapping.fields import GROUPS
from ...model.errors import ConfigurationError
from ...sandbox.csv_files import ExportError
from ...sandbox.salesforce.world import TOKEN as SALESFORCE_TOKEN
from ...sandbox.server import serve
from ...sandbox.worlds import Worlds, build, build_from_csv
from ..terminal import interrupts, output
from ..terminal.files import write_private

HUBSPOT_TOKEN = "pat-sandbox-token"
"""What a HubSpot world takes where it is told nothing else."""
_MANY = 100_000


def built(people: int | None, seed: int | None, hubspot_csv: Path | None, salesforce_csv: Path | None) -> Worlds:
    """The worlds that the options describe. Raises `ConfigurationError` for options that do not go together, or a file that cannot be loaded."""
    if hubspot_csv is None and salesforce_csv is None:
        return build(1000 if people is None else people, 1 if seed is None else seed)
    if hubspot_csv is None or salesforce_csv is None:
        raise ConfigurationError("one export file alone makes no pair", where="sandbox", next_step="give both --hubspot-csv and --salesforce-csv")
    if people is not None or seed is not None:
        raise ConfigurationError("people are either invented or loaded", where="sandbox", next_step="leave out --people and --seed, or the two files")
    try:
        loaded = build_from_csv(hubspot_csv, salesforce_csv)
    except ExportError as error:
        raise ConfigurationError(str(error), next_step="mend the file, or export it again") from None
    for name, file in (("hubspot", loaded.hubspot_file), ("salesforce", loaded.salesforce_file)):
        output.tell(f"{name}: {len(file.ids):,} records loaded")
    return Worlds(loaded.hubspot, loaded.salesforce)


@contextmanager
def serving(worlds: Worlds, hubspot_port: int = 0, salesforce_port: int = 0, latency_ms: float = 0) -> Iterator[tuple[str, str]]:
    """Both worlds on loopback; gives their two addresses. Raises `ConfigurationError` where a port is taken."""
    worlds.hubspot.latency_s = worlds.salesforce.latency_s = latency_ms / 1000
    with ExitStack() as stack:
        try:
            hubspot = stack.enter_context(serve(worlds.hubspot, hubspot_port))
            salesforce = stack.enter_context(serve(worlds.salesforce, salesforce_port))
        except OSError as error:
            raise ConfigurationError(
                f"a port cannot be used: {error.strerror}", where="sandbox", next_step="choose other ports, or 0 for any free one"
            ) from None
        yield hubspot, salesforce


def run(worlds: Worlds, hubspot_port: int, salesforce_port: int, latency_ms: float, write_config: Path | None) -> int:
    """Serve until somebody says stop (Ctrl-C, SIGTERM)."""
    done = interrupts.Service()
    with serving(worlds, hubspot_port, salesforce_port, latency_ms) as (hubspot, salesforce):
        output.tell(f"hubspot     {hubspot}\nsalesforce  {salesforce}\nCtrl-C ends it")
        if write_config is not None:
            write_private(write_config, configuration(hubspot, salesforce))
        done.wait()
    return 0


def configuration(hubspot: str, salesforce: str, winner: str | None = "newest") -> str:
    """A configuration that works as it is: tokens stand in clear because both addresses are on this machine.

    `winner`: who wins where both systems know a value at the first meeting; None asks about every difference.
    """
    winners = "\n".join(f'"{group}" = "{winner}"' for group in GROUPS) if winner else "# nobody: every difference is asked about"
    return f"""\
# Points at a sandbox on this machine.

[systems.hubspot]
connector = "hubspot"
base_url = "{hubspot}"
token = "{HUBSPOT_TOKEN}"
calls_per_10s = {_MANY}
searches_per_s = {_MANY}

[systems.salesforce]
connector = "salesforce"
instance_url = "{salesforce}"
access_token = "{SALESFORCE_TOKEN}"

[systems.salesforce.create]
fallback = {{ LastName = "(unknown)", Company = "[not provided]" }}

# Who wins where both systems know a value when a person is met for the first time.
[first_meeting]
{winners}
"""
